"""Free ports on the loopback interface."""

import contextlib
import itertools
import random
import socket

# Below the range that Linux and macOS use for outgoing connections, so that none of these takes the port between our
# check and the server's bind.
_RANGE = range(20_000, 32_000)
_ATTEMPTS = 200
HOST = "127.0.0.1"

_candidates = itertools.cycle(random.SystemRandom().sample(_RANGE, len(_RANGE)))  # each again only after all others


def claim() -> int:
    """Return a port that nothing listens on and that was not returned for long. Raises OSError when none is found."""
    for port in itertools.islice(_candidates, _ATTEMPTS):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind((HOST, port))
            return port
    raise OSError("no free port found on the loopback interface")
