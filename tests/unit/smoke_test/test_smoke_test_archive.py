"""The look at the archive before a release."""

from __future__ import annotations

import hashlib

import pytest

from shared.storage import StorageError
from smoke_test.archive import ArchiveChangedError, check_archive
from smoke_test_fakes import FakeStore

JUDGED = b"the archive that was judged" * 9999
KEPT = f"s3://artifacts/models/{hashlib.sha256(JUDGED).hexdigest()}/model.tar.gz"


def test_archive_is_hashed_again() -> None:
    """The bytes are read and compared with the digest in the address."""
    assert check_archive(KEPT, FakeStore({KEPT: JUDGED})) == "the one that was judged"


@pytest.mark.parametrize(
    "other", [JUDGED + b"x", b"X" + JUDGED[1:], b""], ids=["a line more", "a byte flipped", "empty"]
)
def test_other_bytes_are_refused(other: bytes) -> None:
    """One byte more or another one is another archive; the error names the address and what lies there."""
    with pytest.raises(ArchiveChangedError, match=hashlib.sha256(other).hexdigest()):
        check_archive(KEPT, FakeStore({KEPT: other}))


def test_missing_archive_is_another_error() -> None:
    """What can't be read is not called changed."""
    with pytest.raises(StorageError, match="does not exist"):
        check_archive(KEPT, FakeStore({}))


@pytest.mark.parametrize("uri", ["s3://artifacts/training/job/output/model.tar.gz", "s3://b/models/0abc/model.tar.gz"])
def test_package_of_an_earlier_version_is_not_checked(uri: str) -> None:
    """Its address says nothing of its bytes: the answer says so, in characters that the registry takes."""
    found = check_archive(uri, FakeStore({}))
    assert found.startswith("not checked") and len(found) <= 256 and not set(found) & set(",;()'\"")
