"""A closed-loop HTTP load: each connection sends its next request when the answer to the last one is complete.

Written for this because the usual tools are not on PyPI (wrk, hey, oha), or count whole milliseconds (autocannon) where
an answer takes one or two. With a core of its own it need not sleep: waking up takes 50 µs in a virtual machine, and
would count as the server's. `benchmarks/serving.py` does that, and measures the load's own round trip, with a server
that answers at once.
"""

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from operations.errors import OperationError

TIMEOUT_SECONDS = 120.0
HINT = "try the artifact with `make predict` first"


@dataclass(frozen=True)
class Measured:
    """One load: the seconds of each request, as they were answered, and those from the first to the last."""

    seconds: list[float]
    elapsed: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.seconds) / self.elapsed

    def milliseconds(self, share: float) -> float:
        """Return what `share` (0–1) of the requests did not exceed."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.started = 0.0

    def send(self, request: bytes) -> None:
        self.received = b""
        self.started = time.perf_counter()
        self.socket.sendall(request)

    def complete(self) -> bool:
        """Read what is there; whether the answer is complete."""
        chunk = self.socket.recv(65_536)
        if not chunk:
            raise OperationError("The server closed a connection.", hint=HINT)
        self.received += chunk
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return False
        first, *lines = head.split(b"\r\n")
        lengths = [line.split(b":")[1] for line in lines if line.lower().startswith(b"content-length:")]
        if not lengths or len(body) < int(lengths[0]):
            return False
        if b" 200 " not in first + b" ":
            said = f"{first.decode()}: {body[:300].decode(errors='replace')}"
            raise OperationError(f"The server answered {said}", hint=HINT)
        return True


def load(
    port: int,
    bodies: Sequence[bytes],
    *,
    connections: int,
    requests: float,
    seconds: float,
    at_least: int = 0,
    sleepless: bool = False,
) -> Measured:
    """Send requests to /invocations until `requests` were answered or `seconds` are over, whichever comes first.

    The JSON `bodies` are sent in turn, over so many `connections` at once. At least `at_least` requests are sent,
    however long they take. `sleepless`: this process has a core of its own, on which it need not sleep.
    """
    head = "POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
    wire = [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies]
    opened = [_Connection(port) for _ in range(connections)]
    took: list[float] = []
    with selectors.DefaultSelector() as selector:
        started = time.perf_counter()
        for number, connection in enumerate(opened):
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(wire[number % len(wire)])
        sent, waiting, heard = len(opened), len(opened), started
        while waiting:
            events = selector.select(0 if sleepless else TIMEOUT_SECONDS)
            now = time.perf_counter()
            if events:
                heard = now
            elif now - heard > TIMEOUT_SECONDS:
                raise OperationError(f"The server did not answer for {TIMEOUT_SECONDS:.0f} s.", hint=HINT)
            for key, _ in events:
                connection = key.data
                if not connection.complete():
                    continue
                now = time.perf_counter()
                took.append(now - connection.started)
                if sent < at_least or (sent < requests and now - started < seconds):
                    connection.send(wire[sent % len(wire)])
                    sent += 1
                else:
                    waiting -= 1
        elapsed = time.perf_counter() - started
    for connection in opened:
        connection.socket.close()
    return Measured(took, elapsed)
