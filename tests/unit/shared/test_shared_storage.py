"""Objects in S3: reads are limited, and boto3's errors are translated."""

from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError

from aws_fakes import FakeS3
from shared.storage import ObjectStore, StorageError

URI = "s3://bucket/a folder/file"


def test_what_is_written_is_read() -> None:
    """Content and content type are kept."""
    s3 = FakeS3()
    store = ObjectStore(s3)
    store.write(URI, b"content", "text/html")
    assert store.read(URI) == b"content"
    assert s3.types[URI] == "text/html"


def test_a_missing_object_is_told_from_a_refused_one() -> None:
    """Both are errors; a refused one says what to check."""
    s3 = FakeS3()
    store = ObjectStore(s3)
    with pytest.raises(StorageError) as missing:
        store.read(URI)
    s3.denied.add(URI)
    with pytest.raises(StorageError, match="S3 answered AccessDenied; check this function's role") as refused:
        store.read(URI)
    assert (missing.value.missing, refused.value.missing) == (True, False)


def test_a_large_object_is_refused() -> None:
    """It is refused without reading all of it."""
    s3 = FakeS3()
    s3.objects[URI] = b"12345"
    assert ObjectStore(s3).read(URI, limit=5) == b"12345"
    with pytest.raises(StorageError, match="larger than 4 bytes"):
        ObjectStore(s3).read(URI, limit=4)


@pytest.mark.parametrize("uri", ["file", "https://bucket/key", "s3://", "s3://bucket/"])
def test_an_address_must_name_bucket_and_key(uri: str) -> None:
    """The address is checked before S3 is asked."""
    s3 = FakeS3()
    with pytest.raises(StorageError, match="no address"):
        ObjectStore(s3).read(uri)


def test_no_connection_is_an_error_of_ours() -> None:
    """The error names the object and keeps the cause."""

    class Unreachable:
        def get_object(self, **_: str) -> None:
            raise EndpointConnectionError(endpoint_url="https://s3")

    with pytest.raises(StorageError, match="cannot be read") as caught:
        ObjectStore(Unreachable()).read(URI)
    assert isinstance(caught.value.__cause__, EndpointConnectionError)
