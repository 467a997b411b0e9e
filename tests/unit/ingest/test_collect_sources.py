"""Collecting from the bundled folder and from S3, and telling sources apart."""

from __future__ import annotations

import pytest

from classifier.data import layout
from ingest.collect import collect, collect_bundled
from ingest.errors import DataUnavailableError, SourceInvalidError
from ingest.sources import base


@pytest.fixture
def destination(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_folder_with_csv_is_found(tmp_path, destination, data_file):
    """Files are found whatever their ending; notes, hidden files and folders beside them are not copied."""
    names = ["train.csv", "test.csv", "README.txt", "LICENSE.txt", "requirements.txt", ".cache.json", "_SUCCESS.csv"]
    for name in [*names, "photo.png", "~$data.xlsx", "code.tar.gz", "ingest.json"]:
        data_file("text,label\n", name=name)
    (tmp_path / "older.csv").mkdir()
    collected = collect_bundled(destination, tmp_path)
    assert [file.name for file in collected.files] == ["test.csv", "train.csv"]


@pytest.mark.parametrize("name", ["tickets.csv", "Tickets 2024.XLSX", "tickets.tsv.gz", "tickets.zip", "part.parquet"])
def test_folder_with_one_file_is_enough(tmp_path, destination, data_file, name):
    """A single file needs no name of a split, may be packed, and no test file."""
    data_file("a", name=name)
    assert [file.name for file in collect_bundled(destination, tmp_path).files] == [name]


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["README.md"],
        ["test.csv"],
        ["labels.txt", "test.csv", "validation.csv", "manifest.json", "requirements.txt"],
    ],
)
def test_folder_without_training_rows_says_what_is_there(tmp_path, destination, data_file, names):
    """A test file alone is nothing to learn from, nor are a validation file and what travels with the data."""
    (tmp_path / "given").mkdir()
    for name in names:
        data_file("a", name=f"given/{name}")
    with pytest.raises(DataUnavailableError, match=f"no training data; found: {names[0] if names else 'nothing'}"):
        collect_bundled(destination, tmp_path / "given")
    assert list(destination.iterdir()) == []


@pytest.mark.parametrize(("count", "allowed"), [(base.MAX_FILES, True), (base.MAX_FILES + 1, False)])
def test_too_many_files_are_refused(tmp_path, destination, data_file, count, allowed):
    """A folder of parts is refused before the first is copied, with the number and what to do."""
    for number in range(count):
        data_file("a", name=f"part-{number}.csv")
    if allowed:
        assert len(collect_bundled(destination, tmp_path).files) == count
    else:
        with pytest.raises(DataUnavailableError, match=r"holds 21 data files; up to 20 are allowed.*Join"):
            collect_bundled(destination, tmp_path)
        assert list(destination.iterdir()) == []


def test_s3_prefix_is_listed_and_read(tmp_path, fake_s3):
    """The files below an s3:// prefix are found, on whichever page of the listing, and copied."""
    for name in ("test.csv", "train.csv", "notes.md", "deeper/train.json", ""):
        fake_s3.objects["bucket", f"some/where/{name}"] = name.encode()
    collected = collect("s3://bucket/some/where/", tmp_path, s3_client=fake_s3)
    assert [file.path.read_bytes() for file in collected.files] == [b"test.csv", b"train.csv"]
    assert collected.source == "s3://bucket/some/where"


def test_single_object_is_read_without_listing(tmp_path, fake_s3):
    """A key that ends like a data file is one object; the right to list its bucket is not needed."""
    fake_s3.objects["bucket", "some/tickets.csv"] = b"mine"
    fake_s3.objects["bucket", "some/other.csv"] = b"other"
    fake_s3.denied.add("ListObjectsV2")
    collected = collect("s3://bucket/some/tickets.csv", tmp_path, s3_client=fake_s3)
    assert [(file.name, file.path.read_bytes()) for file in collected.files] == [("tickets.csv", b"mine")]
    assert collected.source == "s3://bucket/some/tickets.csv"


def test_single_object_at_the_root_of_a_bucket(tmp_path, fake_s3):
    """An object needs no folder."""
    fake_s3.objects["bucket", "tickets.csv"] = b"mine"
    assert collect("s3://bucket/tickets.csv", tmp_path, s3_client=fake_s3).files[0].path.read_bytes() == b"mine"


def test_slash_says_that_a_key_is_a_prefix(tmp_path, fake_s3):
    """Some programs write a folder `tickets.csv/`: the slash tells, and without it the error says so."""
    fake_s3.objects["bucket", "tickets.csv/part-0.csv"] = b"mine"
    with pytest.raises(DataUnavailableError, match=r"NoSuchKey.*A folder ends in a slash"):
        collect("s3://bucket/tickets.csv", tmp_path, s3_client=fake_s3)
    collected = collect("s3://bucket/tickets.csv/", tmp_path, s3_client=fake_s3)
    assert [file.name for file in collected.files] == ["part-0.csv"]


def test_s3_refusal_names_the_code(tmp_path, fake_s3, bundled):
    """A denied read is an error with S3's code, not a reason to fall back."""
    fake_s3.denied.add("ListObjectsV2")
    with pytest.raises(DataUnavailableError, match="AccessDenied"):
        collect("s3://bucket/prefix", tmp_path, s3_client=fake_s3, fallback=bundled)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "/etc",
        "ftp://host/data",
        "file:///data",
        "s3://",
        "https://user:secret@host/data",
        "https://host/data?key=secret",
        "http://host:port/data",
    ],
)
def test_other_sources_are_refused(tmp_path, source):
    """What is neither http(s) nor s3 is refused, and secrets in it are not repeated."""
    with pytest.raises(SourceInvalidError) as caught:
        collect(source, tmp_path)
    assert "secret" not in str(caught.value)


def test_bundled_data_is_named_as_such(tmp_path, bundled):
    """The bundled set has one name, wherever its folder lies."""
    assert collect_bundled(tmp_path, bundled).source == "bundled"


NAMES = [
    *(f"a{suffix}" for suffix in sorted(layout.SUFFIXES | layout._PACKED)),
    *("train.json", "my_test.csv", "Testing.CSV", "tests.csv", "latest.csv", "contest.csv", "test2.csv", "a.test.csv"),
    *("train_test.csv", "test-dev.csv", "dev_test.csv", "valid.jsonl.gz", "validation.jsonl", "test.tar.gz", "a.tgz"),
    *(
        "README.txt",
        "readme_first.txt",
        "notices.csv",
        "requirements.txt",
        "_a.csv",
        ".a.csv",
        "a.md",
        "a",
        "labels.txt",
    ),
    *("manifest.json", "ingest.json", "a.png.gz", "label_names.txt", "classes.txt", "train_dev.csv"),
]


@pytest.mark.parametrize("name", NAMES)
def test_ingest_and_job_take_a_name_alike(tmp_path, data_file, name):
    """What is copied is what the job reads (beside manifest and labels), and lands in the channel of its split."""
    read = layout._is_data(data_file("a", name=name))
    assert base.is_data_file(name) == (read or name in {layout.MANIFEST, *layout.LABELS_FILES})
    role = layout.role_of(name.split(".")[0])
    assert base.channel_of(name) == ("test" if role == "test" else "train")
    assert _is_enough(name) == (read and role not in ("test", "validation"))


def _is_enough(name):
    try:
        return base.data_files([name], "here") == (name,)
    except DataUnavailableError:
        return False


def test_ingest_and_job_know_the_same_endings():
    """No ending is known to one of them only."""
    assert base.is_data_file is layout.is_data_file
