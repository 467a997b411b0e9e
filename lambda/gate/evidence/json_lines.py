"""Reading JSON Lines files that the training job and batch transform wrote. An error names the file and the line."""

import json
import math
from collections.abc import Iterator
from typing import Any, TypeGuard

from shared.errors import EvidenceError
from shared.words import quote


def read_objects(content: bytes, source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place and the object of each line. Raises EvidenceError, which calls the file `source`."""
    for place, line in lines_of(content, source):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise EvidenceError(place, f"is not JSON: {quote(line)}") from error
        if not isinstance(value, dict):
            raise EvidenceError(place, f"is not a JSON object: {quote(value)}")
        yield place, value


def lines_of(content: bytes, source: str) -> Iterator[tuple[str, bytes]]:
    """Yield each line of a file with its place, such as `x.jsonl, line 2`."""
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    for number, line in enumerate(lines, 1):
        yield f"{source}, line {number}", line


def is_number(value: Any) -> TypeGuard[float]:
    """Tell whether a JSON value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
