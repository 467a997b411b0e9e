"""Splits objects into records and joins answers: SplitType and AssembleWith of a transform job."""

from collections.abc import Iterable, Mapping
from typing import Any


def split(content: bytes, split_type: str) -> list[bytes]:
    """Return the records of one object; an empty object has none.

    With `Line` each line is a record, without its line ending. With `None` the object is the record.
    """
    if not content:
        return []
    if split_type != "Line":
        return [content]
    lines = content.removesuffix(b"\n").split(b"\n")
    return [line.removesuffix(b"\r") for line in lines]


def assemble(answers: Iterable[bytes], assemble_with: str) -> bytes:
    """Join the answers; with `Line` a newline follows each, with `None` nothing."""
    ending = b"\n" if assemble_with == "Line" else b""
    return b"".join(answer + ending for answer in answers)


def output_uri(job: Mapping[str, Any], relative: str) -> str:
    """Return the URI of the answers to an object; `relative` is its name below the input's prefix."""
    return f"{job['TransformOutput']['S3OutputPath'].rstrip('/')}/{relative}.out"
