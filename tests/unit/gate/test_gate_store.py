"""Objects in S3: bounded, and boto3's errors end there."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import EndpointConnectionError

from gate.errors import EvidenceInvalid, StorageError
from gate.store import ObjectStore

if TYPE_CHECKING:
    from conftest import World

URI = "s3://bucket/a folder/file"


def archive(*members: tuple[str, bytes, bytes]) -> bytes:
    """A ``.tar.gz`` of names, contents and types."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        for name, content, kind in members:
            entry = tarfile.TarInfo(name)
            entry.size, entry.type = len(content), kind
            entry.linkname = "/etc/passwd" if kind == tarfile.SYMTYPE else ""
            file.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_what_is_written_is_read(world: World) -> None:
    """Whole, with its content type."""
    store = ObjectStore(world.s3)
    store.write(URI, b"content", "text/html")
    assert store.read(URI) == store.read_if_there(URI) == b"content"
    assert world.s3.types[URI] == "text/html"


def test_a_missing_object_is_told_from_a_refused_one(world: World) -> None:
    """The one is None where that may be, the other an error with the way out."""
    store = ObjectStore(world.s3)
    assert store.read_if_there(URI) is None
    with pytest.raises(StorageError) as missing:
        store.read(URI)
    world.s3.denied.add(URI)
    with pytest.raises(StorageError, match="S3 answered AccessDenied; check this function's role") as refused:
        store.read_if_there(URI)
    assert (missing.value.missing, refused.value.missing) == (True, False)


def test_a_large_object_is_refused(world: World) -> None:
    """Without reading all of it."""
    world.s3.objects[URI] = b"12345"
    assert ObjectStore(world.s3).read(URI, limit=5) == b"12345"
    with pytest.raises(StorageError, match="larger than 4 bytes"):
        ObjectStore(world.s3).read(URI, limit=4)


@pytest.mark.parametrize("uri", ["file", "https://bucket/key", "s3://", "s3://bucket/"])
def test_an_address_must_name_bucket_and_key(world: World, uri: str) -> None:
    """Before S3 is asked."""
    with pytest.raises(StorageError, match="no address"):
        ObjectStore(world.s3).read(uri)


def test_no_connection_is_an_error_of_ours() -> None:
    """With the object's name and the cause behind it."""

    class Unreachable:
        def get_object(self, **_: str) -> None:
            raise EndpointConnectionError(endpoint_url="https://s3")

    with pytest.raises(StorageError, match="cannot be read") as caught:
        ObjectStore(Unreachable()).read(URI)
    assert isinstance(caught.value.__cause__, EndpointConnectionError)


def test_members_are_found_by_name_at_the_root(world: World) -> None:
    """With or without ``./``; the same name in a folder, or as a link, is another thing."""
    regular = tarfile.REGTYPE
    world.s3.objects[URI] = archive(
        ("./rows", b"1", regular),
        ("folder/labels", b"2", regular),
        ("../labels", b"3", regular),
        ("labels", b"", tarfile.SYMTYPE),
        ("other", b"4", regular),
    )
    assert ObjectStore(world.s3).members(URI, ("rows", "labels")) == {"rows": b"1"}


def test_a_large_member_is_refused_by_its_announced_size(world: World) -> None:
    """And a large one that nobody wants is passed over."""
    world.s3.objects[URI] = archive(("other", b"123456", tarfile.REGTYPE), ("rows", b"12345", tarfile.REGTYPE))
    assert ObjectStore(world.s3).members(URI, ["rows"], limit=5) == {"rows": b"12345"}
    with pytest.raises(EvidenceInvalid, match="rows has 5 bytes; 4 are allowed"):
        ObjectStore(world.s3).members(URI, ["rows"], limit=4)


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", archive(("rows", b"1" * 9000, tarfile.REGTYPE))[:60]],
    ids=["empty", "something else", "cut off"],  # gzip writes the time into its header
)
def test_what_is_no_archive_is_refused(world: World, content: bytes) -> None:
    """Empty, something else, or cut off."""
    world.s3.objects[URI] = content
    with pytest.raises(EvidenceInvalid, match="cannot be unpacked"):
        ObjectStore(world.s3).members(URI, ["rows"])
