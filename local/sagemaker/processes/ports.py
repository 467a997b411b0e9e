"""Free ports on the loopback interface."""

from __future__ import annotations

import random
import socket
import threading

# Below the range from which Linux and macOS take ports of outgoing connections, so that none of those grabs the port
# between our look and the server's bind.
_RANGE = range(20_000, 32_000)
_ATTEMPTS = 200

_claimed: set[int] = set()
_lock = threading.Lock()


def claim(host: str = "127.0.0.1") -> int:
    """A port that nothing listens on and that no other `claim` holds. Raises OSError when none is found."""
    with _lock:
        for _ in range(_ATTEMPTS):
            port = random.choice(_RANGE)
            if port not in _claimed and _is_free(host, port):
                _claimed.add(port)
                return port
    raise OSError("no free port found on the loopback interface")


def release(port: int) -> None:
    """Give a claimed port back."""
    with _lock:
        _claimed.discard(port)


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
