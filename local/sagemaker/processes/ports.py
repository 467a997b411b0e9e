"""Free ports on the loopback interface."""

import contextlib
import random
import socket
import threading

# Below the range that Linux and macOS use for outgoing connections, so that none of these takes the port between our
# check and the server's bind.
_RANGE = range(20_000, 32_000)
_ATTEMPTS = 200
HOST = "127.0.0.1"

_claimed: set[int] = set()
_lock = threading.Lock()


def claim() -> int:
    """Reserve a port that nothing listens on. Raises OSError when none is found."""
    with _lock:
        for port in random.sample(_RANGE, _ATTEMPTS):
            if port not in _claimed:
                with contextlib.suppress(OSError), socket.socket() as probe:
                    probe.bind((HOST, port))
                    _claimed.add(port)
                    return port
    raise OSError("no free port found on the loopback interface")


def release(port: int) -> None:
    """End the reservation of a port."""
    with _lock:
        _claimed.discard(port)
