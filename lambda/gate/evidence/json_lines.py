"""Reading JSON Lines files that the training job and batch transform wrote. An error names the file and the line."""

import json
from collections.abc import Iterator
from typing import Any

from shared.errors import EvidenceError
from shared.words import kind


def read_objects(content: bytes, source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place and the object of each line. Raises EvidenceError, which calls the file `source`."""
    for place, line in lines_of(content, source):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise EvidenceError(place, "is not JSON") from error
        if not isinstance(value, dict):
            raise EvidenceError(place, f"is {kind(value)}, not an object")
        yield place, value


def lines_of(content: bytes, source: str) -> Iterator[tuple[str, bytes]]:
    """Yield each line of a file with its place, such as `x.jsonl, line 2`."""
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    for number, line in enumerate(lines, 1):
        yield f"{source}, line {number}", line
