"""Collecting from a folder and from S3, and telling sources apart."""

from __future__ import annotations

import pytest

from classifier.data import layout
from ingest.collect import collect, collect_bundled
from ingest.errors import DataUnavailableError, SourceInvalidError
from ingest.sources import base


def test_folder_wins_without_any_network(tmp_path, data_file):
    """A folder given as the source is copied; its name stands in the result."""
    data_file("a")
    data_file("b", name="test.json")
    collected = collect(str(tmp_path), tmp_path / "out")
    assert (collected.source, collected.fell_back) == (str(tmp_path), False)
    assert (tmp_path / "out" / "test.json").read_bytes() == b"b"


def test_folder_with_csv_is_found(tmp_path, data_file):
    """Files are found by the split's name, whatever their ending."""
    data_file("text,label\n", name="train.csv")
    data_file("text,label\n", name="test.csv")
    collected = collect(str(tmp_path), tmp_path / "out")
    assert [file.name for file in collected.files] == ["train.csv", "test.csv"]


def test_folder_without_test_file_says_what_is_there(tmp_path, data_file):
    """The message names the missing split and the files found."""
    data_file("a")
    with pytest.raises(DataUnavailableError, match=r"no test file.*found: train\.json"):
        collect(str(tmp_path), tmp_path / "out")


def test_missing_folder_is_not_replaced(tmp_path, bundled):
    """A mistyped folder is an error even where a fallback is allowed."""
    with pytest.raises(SourceInvalidError, match="not a folder"):
        collect(str(tmp_path / "missing"), tmp_path / "out", fallback=bundled)


def test_named_file_that_is_missing(tmp_path):
    """File names given by the caller are used as they are."""
    with pytest.raises(DataUnavailableError, match=r"other\.json cannot be read"):
        collect(str(tmp_path), tmp_path / "out", files=["other.json"])


def test_s3_prefix_is_listed_and_read(tmp_path, fake_s3):
    """Both files below an s3:// prefix are found, on whichever page of the listing, and copied."""
    for name in ("test.csv", "train.csv", "notes.txt", "deeper/train.json"):
        fake_s3.objects["bucket", f"some/where/{name}"] = name.encode()
    collected = collect("s3://bucket/some/where/", tmp_path, s3_client=fake_s3)
    assert [file.path.read_bytes() for file in collected.files] == [b"train.csv", b"test.csv"]
    assert collected.source == "s3://bucket/some/where"


def test_s3_refusal_names_the_code(tmp_path, fake_s3, bundled):
    """A denied read is an error with S3's code, not a reason to fall back."""
    fake_s3.denied.add("ListObjectsV2")
    with pytest.raises(DataUnavailableError, match="AccessDenied"):
        collect("s3://bucket/prefix", tmp_path, s3_client=fake_s3, fallback=bundled)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "ftp://host/data",
        "file:///data",
        "s3://",
        "https://user:secret@host/data",
        "https://host/data?key=secret",
        "http://host:port/data",
    ],
)
def test_other_sources_are_refused(tmp_path, source):
    """What is neither http(s), s3 nor a folder is refused, and secrets in it are not repeated."""
    with pytest.raises(SourceInvalidError) as caught:
        collect(source, tmp_path)
    assert "secret" not in str(caught.value)


def test_bundled_data_is_named_as_such(tmp_path, bundled):
    """The bundled set has one name, wherever its folder lies."""
    assert collect_bundled(tmp_path, bundled).source == "bundled"


def test_collecting_and_preparing_know_the_same_endings():
    """The endings that can be collected are those that can be read."""
    assert set(base.SUFFIXES) <= layout.SUFFIXES
