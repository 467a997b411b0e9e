"""Objects into records, answers into an object: SplitType and AssembleWith of a transform job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def split(content: bytes, split_type: str) -> list[bytes]:
    """The records of one object.

    ``None``: the object is the record. ``Line``: one record a line, without its line ending; the line ending of the
    last one may be missing. An empty object has no record.
    """
    if not content:
        return []
    if split_type != "Line":
        return [content]
    lines = content.removesuffix(b"\n").split(b"\n")
    return [line.removesuffix(b"\r") for line in lines]


def assemble(answers: Iterable[bytes], assemble_with: str) -> bytes:
    """The answers in one object: ``Line`` puts a newline behind each, ``None`` nothing."""
    ending = b"\n" if assemble_with == "Line" else b""
    return b"".join(answer + ending for answer in answers)


def output_uri(job: Mapping[str, Any], relative: str) -> str:
    """Where the answers to the object go that was found under the name `relative` below the input's prefix."""
    return f"{job['TransformOutput']['S3OutputPath'].rstrip('/')}/{relative}.out"
