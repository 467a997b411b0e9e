"""Cuts a stream of texts into requests that the API accepts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from text_classifier.errors import UsageError
from text_classifier.results import Refusal

K = TypeVar("K")

BODY_START, BODY_END = b'{"inputs":[', b"]}"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one request. The defaults are the API's (see its `openapi.json`), or below."""

    texts: int = 100
    """Texts in a request, at least 1."""
    characters: int = 20_000
    """Unicode characters in a text, at least 1."""
    body_bytes: int = 1024 * 1024
    """Bytes of a request's body in UTF-8, without parameters. The endpoint accepts 4 MiB; smaller requests of long
    texts are faster."""

    def __post_init__(self) -> None:
        for name, least in (("texts", 1), ("characters", 1), ("body_bytes", 64)):
            if getattr(self, name) < least:
                raise UsageError(f"limits.{name} is {getattr(self, name)}.", hint=f"Give {least} or more.")


@dataclass
class Batch(Generic[K]):
    """The texts of one request, and those next to them that cannot be sent."""

    keys: list[K] = field(default_factory=list)
    """One for each text to send, in the caller's order."""
    refused: list[tuple[K, Refusal]] = field(default_factory=list)
    """The keys of the texts that no request can hold, with the reasons."""
    _texts: list[bytes] = field(default_factory=list)
    _bytes: int = len(BODY_START) + len(BODY_END)

    def __len__(self) -> int:
        return len(self.keys) + len(self.refused)

    def has_room(self, text: bytes, limits: Limits) -> bool:
        """Return whether one more text, as JSON, is within the limits."""
        return len(self) < limits.texts and (not self._texts or self._bytes + len(text) + 1 <= limits.body_bytes)

    def add(self, key: K, text: bytes) -> None:
        """Add a text, as JSON."""
        self._bytes += len(text) + bool(self._texts)
        self.keys.append(key)
        self._texts.append(text)

    def body(self, parameters: dict[str, Any] | None = None) -> bytes:
        """Return the request's body."""
        end = b'],"parameters":%b}' % json.dumps(parameters).encode() if parameters else BODY_END
        return BODY_START + b",".join(self._texts) + end

    def halves(self) -> tuple[Batch[K], Batch[K]]:
        """Return the texts to send in two batches."""
        middle, halves = len(self.keys) // 2, (Batch[K](), Batch[K]())
        for place, (key, text) in enumerate(zip(self.keys, self._texts, strict=True)):
            halves[place >= middle].add(key, text)
        return halves


def batches(items: Iterable[tuple[K, Any]], limits: Limits) -> Iterator[Batch[K]]:
    """Yield batches in order, none of them empty; read `items` no further than the batch that is yielded.

    `items` has a key of the caller's choice for each text, and the text. Anything but a text is refused, not raised.
    """
    batch: Batch[K] = Batch()
    for key, text in items:
        encoded = encode(text, limits)
        if not batch.has_room(b"" if isinstance(encoded, Refusal) else encoded, limits):
            yield batch
            batch = Batch()
        if isinstance(encoded, Refusal):
            batch.refused.append((key, encoded))
        else:
            batch.add(key, encoded)
        if len(batch) == limits.texts:
            yield batch
            batch = Batch()
    if len(batch):
        yield batch


def encode(text: Any, limits: Limits) -> bytes | Refusal:
    """Return a text as JSON in UTF-8, or why no request can hold it; a refusal stays as it is."""
    if isinstance(text, Refusal):
        return text
    if not isinstance(text, str):
        return Refusal("not_a_text", f"It is {'nothing' if text is None else type(text).__name__}; a text is expected.")
    if not 1 <= len(text) <= limits.characters:
        detail = f"It has {len(text)} characters; 1 to {limits.characters} are allowed."
        return Refusal("too_long" if text else "empty", detail)
    try:
        encoded = json.dumps(text, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return Refusal("not_unicode", "It holds half of a surrogate pair; valid Unicode is expected.")
    whole = len(BODY_START) + len(encoded) + len(BODY_END)
    if whole > limits.body_bytes:
        return Refusal("too_long", f"It makes a request of {whole} bytes; {limits.body_bytes} are allowed.")
    return encoded
