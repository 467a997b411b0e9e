"""Text for a terminal: what a server or a file says may not steer it."""

import io
import re
from typing import TextIO

_STEERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\r(?!\n)")


def shown(text: str) -> str:
    r"""Return a text whose control characters are escapes such as `\x1b`; tabs and line ends stay.

    The characters that turn the direction of writing count among them.
    """
    return _STEERS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class Terminal(io.TextIOBase):
    """A terminal that shows what is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text as `shown`."""
        return self._stream.write(shown(text))
