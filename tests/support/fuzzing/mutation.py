"""Damage that leaves an input close enough to a good one to be read far: bytes, lines, JSON, inside packed files."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

TOKENS = [
    *(b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\n", b"\r\n", b"\t"),
    *(b'"', b"'", b'""', b"\\", b",", b";"),
    *(b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\xc2\x85", b"\x1b[31m", b"=cmd|", b"__label__", b"sep=;"),
    *(b"#", b"[", b"{", b"}", b"../", b"/etc/passwd", b"%00", b"%2e%2e"),
    *(b"-1", b"0", b"NaN", b"1e999", b"1" * 400, b"1" * 5000, b"null", b"true"),
    *(b"[" * 2000, b'{"a":' * 2000, b"\\ud800", b"\\u0000", b"percent:", b"_part2", b"a" * 70_000),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"\r\n\r\n", b"0\r\n\r\n", b"HTTP/1.1 200 OK\r\n"),
]
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 0.5, 1.0, -0.0, 1e308, float("nan"), float("inf"), 10**15, 10**400, 2**63),
    *("", " ", "0", "a", "\ud800", "\0", "é", "=1+1", "\x1b[31m", "a" * 300, "../x", "s3://b/k", "http://[", "auto"),
    *([], {}, [[]], [None], [1, 2], ["a", "a"], {"a": {"b": 1}}, {"": ""}, {"label": "a"}, [{"text": "a"}]),
]
LARGEST = 1 << 20
"""Bytes of an input. What a size limit refuses has tests of its own."""


def mutated(seeds: Sequence[bytes], random: Random) -> bytes:
    """Return one of the inputs with up to four kinds of damage."""
    data = random.choice(seeds)
    for _ in range(random.choice((0, 1, 1, 1, 2, 4))):
        data = random.choice(_KINDS)(data, seeds, random)
    return data[:LARGEST]


def _at(data: bytes, random: Random) -> int:
    return random.randrange(len(data) + 1)


def _flipped(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 3, 20)) if data else 0):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _with_token(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    start = _at(data, random)
    return data[:start] + random.choice(TOKENS) + data[start + random.choice((0, 0, 1, 4)) :]


def _cut(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    start, end = sorted((_at(data, random), _at(data, random)))
    return random.choice((data[:start], data[:start] + data[end:], data[:end] + data[start:]))


def _joined(data: bytes, seeds: Sequence[bytes], random: Random) -> bytes:
    other = random.choice(seeds)
    return data[: _at(data, random)] + other[_at(other, random) :]


def _lines(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    lines = data.splitlines(keepends=True)[:2000]
    if not lines:
        return data
    first, second = random.randrange(len(lines)), random.randrange(len(lines))
    lines[first], lines[second] = random.choice(
        (
            (lines[second], lines[first]),
            (lines[second], lines[second]),
            (b"", lines[second]),
            (lines[first] * 50, b"\n"),
        )
    )
    return b"".join(lines)


def _number(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    digits = [place for place, byte in enumerate(data) if 48 <= byte <= 57]
    if not digits:
        return data
    place = random.choice(digits)
    return data[:place] + random.choice((b"-1", b"0", b"99999999999", b"1e400", b"0.0", b"")) + data[place + 1 :]


def _json(data: bytes, seeds: Sequence[bytes], random: Random) -> bytes:
    """Replace, remove or add a value somewhere in a document, or in one line of JSON Lines."""
    lines = [data]
    place = 0
    with contextlib.suppress(ValueError, RecursionError):
        if b"\n" in data.strip() and data.lstrip()[:1] in (b"{", b"["):
            json.loads(data.splitlines()[0])
            lines = data.splitlines(keepends=True)
            place = random.randrange(len(lines))
    try:
        document = json.loads(lines[place])
        lines[place] = json.dumps(_changed(document, random)).encode() + b"\n" * (len(lines) > 1)
    except (ValueError, RecursionError):
        return _with_token(data, seeds, random)
    return b"".join(lines)


def _changed(value: Any, random: Random) -> Any:
    if isinstance(value, dict) and value and random.random() < 0.85:
        key = random.choice(list(value))
        kind = random.random()
        if kind < 0.1:
            return {name: inner for name, inner in value.items() if name != key}
        if kind < 0.2:
            return {**value, random.choice((*map(str, VALUES), key + " ", key.upper())): random.choice(VALUES)}
        return {**value, key: _changed(value[key], random)}
    if isinstance(value, list) and value and random.random() < 0.85:
        place = random.randrange(len(value))
        kind = random.random()
        if kind < 0.2:
            return random.choice((value[:place], value + value, [*value, random.choice(VALUES)]))
        return [*value[:place], _changed(value[place], random), *value[place + 1 :]]
    return random.choice(VALUES)


def _inside(data: bytes, seeds: Sequence[bytes], random: Random) -> bytes:
    """Damage the content of a packed file, and pack it again, so that checksums hold."""
    try:
        if data[:2] == b"\x1f\x8b":
            inner = zlib.decompressobj(31).decompress(data, LARGEST)
            return gzip.compress(_any(inner, seeds, random), 1, mtime=0)
        if data[:4] == b"PK\x03\x04":
            return _zip_changed(data, seeds, random)
    except (ValueError, OSError, EOFError, RuntimeError, NotImplementedError, zlib.error, zipfile.BadZipFile):
        return _flipped(data, seeds, random)
    if data[257:262] == b"ustar":
        return _tar_changed(data, random)
    return _json(data, seeds, random)


def _any(data: bytes, seeds: Sequence[bytes], random: Random) -> bytes:
    return _inside(data, seeds, random) if random.random() < 0.6 else random.choice(_KINDS)(data, seeds, random)


def _zip_changed(data: bytes, seeds: Sequence[bytes], random: Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = {name: archive.read(name) for name in archive.namelist()[:50]}
    if not content:
        return data
    name = random.choice(list(content))
    content[name] = _any(content[name], seeds, random)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inner in content.items():
            archive.writestr(name, inner)
    return packed.getvalue()


def _tar_changed(data: bytes, random: Random) -> bytes:
    """Change the head of a member: its name, size or kind, with the right checksum."""
    heads = [at for at in range(0, len(data) - 511, 512) if data[at + 257 : at + 262] == b"ustar"]
    if not heads:
        return data
    at = random.choice(heads)
    head = bytearray(data[at : at + 512])
    what = random.randrange(5)
    if what == 0:
        name = random.choice(
            (b"../x", b"/tmp/x", b"a/../../x", b"./config.json", b"onnx/a", b"", b"a" * 100, b"\xff/x")
        )
        head[:100] = name.ljust(100, b"\0")
    elif what == 1:
        size = random.choice(
            (b"77777777777\0", b"00000000000\0", b"\x80" + b"\xff" * 11, b"\xff" * 10 + b"\x00\x00", b"-0000000001\0")
        )
        head[124:136] = size
    elif what == 2:
        head[156] = random.choice(b"01234567gxLKSNVD\0A")
    elif what == 3:
        head[157:257] = random.choice((b"/etc/passwd", b"../..", b"x")).ljust(100, b"\0")
    else:
        head[random.randrange(512)] = random.randrange(256)
    return data[:at] + sealed(head) + data[at + 512 :]


def sealed(head: bytes | bytearray) -> bytes:
    """The head of a tar's member, with the checksum that it should have."""
    return b"%b%06o\0 %b" % (head[:148], sum(head[:148]) + 8 * 32 + sum(head[156:]), head[156:])


_KINDS: list[Callable[[bytes, Sequence[bytes], Random], bytes]] = [
    *(_flipped, _with_token, _with_token, _cut, _joined, _lines, _number, _json, _json, _inside, _inside),
]
