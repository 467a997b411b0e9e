"""The ingest step with a bucket in memory: which data is taken, what is written, what is returned."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import pytest

from classifier.data.dataset import load_data
from classifier.data.settings import DataSettings
from ingest.errors import DataUnavailableError
from ingest.pipeline import ingest
from ingest.reading import OtherReadingError
from ingest.settings import Settings
from ingest.store import DataStore
from shared.errors import InvalidExecutionInputError
from shared.storage import StorageError

NOW = datetime(2026, 8, 1, 9, 5, 7, tzinfo=UTC)
NOTHING_NAMED = None
SPLITS = ("train", "test")
TABLE = "text,label\n" + "".join(
    f"question {number} about a parcel,shipping\nquestion {number} about a bill,billing\n" for number in range(30)
)


@pytest.fixture
def settings(bundled):
    """Makes settings; a configured address and the bundled set are given where a test needs them."""

    def make(url: str = "", allow_bundled: bool = False, allow_internal: bool = True) -> Settings:
        return Settings(
            data_bucket="data",
            data_source_url=url,
            bundled_data=bundled if allow_bundled else None,
            allow_internal=allow_internal,
        )

    return make


@pytest.fixture
def run(fake_s3, quick):
    """Runs the step against the fake bucket."""

    def call(given: str | None, settings: Settings, **hyperparameters: str) -> dict:
        return ingest(given, hyperparameters, settings, DataStore("data", fake_s3), now=NOW, limits=quick)

    return call


def put(fake_s3, prefix, marker):
    for name in ("train.json", "test.json"):
        fake_s3.objects["data", f"{prefix}{name}"] = f"{marker} {name}".encode()


def stored(fake_s3, uri):
    """The text of a channel's one file."""
    (content,) = [body for name, body in channel(fake_s3, uri).items() if name != "ingest.json"]
    return content.decode()


def channel(fake_s3, uri):
    """The files below an address, by name."""
    keys = {f"s3://{bucket}/{key}": body for (bucket, key), body in fake_s3.objects.items()}
    return {key.removeprefix(uri): body for key, body in keys.items() if key.startswith(uri)}


def upload(fake_s3, folder):
    """Put a folder's files where a person uploads them."""
    for path in folder.iterdir():
        fake_s3.objects["data", f"source/{path.name}"] = path.read_bytes()


def read_as_the_job(fake_s3, answer, folder):
    """Read the channels as the training job does."""
    for split in SPLITS:
        (folder / split).mkdir(parents=True)
        for name, body in channel(fake_s3, answer[f"{split}_uri"]).items():
            (folder / split / name).write_bytes(body)
    return load_data(folder / "train", folder / "test", DataSettings(), quarantine=None)


def test_answer_has_what_the_next_steps_read(site, settings, run):
    """Folders by hash, the hash and the source, in the form the state machine expects."""
    site.serve("/train.json", b"a")
    site.serve("/test.json", b"b")
    answer = run(site.url, settings())
    folder = f"s3://data/datasets/{answer['data_sha256'][:16]}"
    assert answer == {
        "train_uri": f"{folder}/train/",
        "test_uri": f"{folder}/test/",
        "data_sha256": answer["data_sha256"],
        "source": site.url,
        "fell_back": False,
        "reason": "",
    }


def test_each_channel_holds_its_file(site, settings, run, fake_s3):
    """The folder of a channel holds that split's file and the marker."""
    site.serve("/train.json", b"for training")
    site.serve("/test.json", b"for testing")
    answer = run(site.url, settings())
    assert stored(fake_s3, answer["train_uri"]) == "for training"
    assert stored(fake_s3, answer["test_uri"]) == "for testing"
    marker = {"data_sha256": answer["data_sha256"], "source": site.url}
    assert all(json.loads(channel(fake_s3, answer[f"{split}_uri"])["ingest.json"]) == marker for split in SPLITS)


@pytest.mark.parametrize("source", ["s3://data/mine/tickets.csv", "s3://data/mine/", None])
def test_one_raw_file_is_enough(settings, run, fake_s3, tmp_path, source):
    """A single table, as an object, below a prefix or uploaded: the test channel then holds the marker alone.

    The job reads the table and holds test rows out.
    """
    key = "mine/tickets.csv" if source else "source/tickets.csv"
    fake_s3.objects["data", key] = TABLE.encode()
    answer = run(source, settings())
    assert set(channel(fake_s3, answer["train_uri"])) == {"tickets.csv", "ingest.json"}
    assert set(channel(fake_s3, answer["test_uri"])) == {"ingest.json"}
    data = read_as_the_job(fake_s3, answer, tmp_path)
    assert (data.objective, data.label_names) == ("classification", ("billing", "shipping"))
    assert set(data.splits) == {"train", "test"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "label_column",
            "verdict",
            "label_column=verdict differs from how this data was read (label). Read the",
        ),
        ("label_column", "percent:the%20verdict", "label_column=the verdict differs"),
        ("objective", "multilabel", "objective=multilabel differs from how this data was read"),
        ("encoding", "nonsense", "encoding 'nonsense' cannot be used"),
        ("label_column", "label", ""),
        ("epochs", "2", ""),
    ],
)
def test_another_reading_is_refused_before_a_job_is_paid_for(settings, run, fake_s3, tmp_path, name, value, said):
    """Data that was read before travels with its manifest; without one, the job decides."""
    (tmp_path / "tickets.csv").write_text(TABLE)
    fake_s3.objects["data", "source/tickets.csv"] = TABLE.encode()
    run(NOTHING_NAMED, settings(), **{name: value})
    del fake_s3.objects["data", "source/tickets.csv"]
    load_data(tmp_path / "tickets.csv", None, DataSettings(), quarantine=None).write(tmp_path / "read")
    upload(fake_s3, tmp_path / "read")
    if said:
        before = dict(fake_s3.objects)
        with pytest.raises(OtherReadingError) as caught:
            run(NOTHING_NAMED, settings(), **{name: value})
        assert said in str(caught.value)
        assert fake_s3.objects == before
    else:
        run(NOTHING_NAMED, settings(), **{name: value})


def test_the_job_says_what_is_wrong_with_a_damaged_manifest(settings, run, fake_s3):
    """It is no reason to refuse hyperparameters."""
    fake_s3.objects["data", "source/train.jsonl"] = b"{}"
    deep, long = b"[" * 100_000, b" " * 17 * 1024 * 1024 + b'{"labels": ["a"], "objective": "classification"}'
    for content in (b"{", b"[]", b"{}", b'"text"', b'{"labels": 3}', b"\xff", deep, long):
        fake_s3.objects["data", "source/manifest.json"] = content
        answer = run(NOTHING_NAMED, settings(), label_column="x")
        assert channel(fake_s3, answer["train_uri"])["manifest.json"] == content


@pytest.mark.parametrize("name", ["tickets.csv.gz", "tickets.gz"])
def test_packed_file_reaches_the_job(settings, run, fake_s3, tmp_path, name):
    """A packed file is stored as it is, and the job unpacks it, whatever its name says of the content."""
    fake_s3.objects["data", f"mine/{name}"] = gzip.compress(TABLE.encode())
    answer = run(f"s3://data/mine/{name}", settings())
    assert read_as_the_job(fake_s3, answer, tmp_path).label_names == ("billing", "shipping")


def test_canonical_files_reach_the_job_as_they_were(settings, run, fake_s3, tmp_path):
    """Manifest and validation rows go into the training channel; the job reads the very same data."""
    rows = TABLE.splitlines()
    (tmp_path / "raw").mkdir()
    for split, start, end in (("train", 1, 41), ("validation", 41, 51), ("test", 51, 61)):
        (tmp_path / "raw" / f"{split}.csv").write_text("\n".join([rows[0], *rows[start:end]]) + "\n")
    given = load_data(tmp_path / "raw", None, DataSettings(), quarantine=None)
    given.write(tmp_path / "canonical")
    upload(fake_s3, tmp_path / "canonical")
    answer = run(NOTHING_NAMED, settings())
    assert set(channel(fake_s3, answer["train_uri"])) == {
        *("train.jsonl", "validation.jsonl", "manifest.json", "ingest.json")
    }
    assert set(channel(fake_s3, answer["test_uri"])) == {"test.jsonl", "ingest.json"}
    read = read_as_the_job(fake_s3, answer, tmp_path / "job")
    assert {split: len(read.splits[split]) for split in read.splits} == {"train": 40, "validation": 10, "test": 10}
    assert read.data_sha256 == given.data_sha256


def test_file_of_labels_goes_with_the_training_data(settings, run, fake_s3):
    """A list of the labels' names lies beside the training file, where the job looks for it."""
    for name in ("reviews.csv", "reviews_test.csv", "labels.txt", "README.md"):
        fake_s3.objects["data", f"source/{name}"] = b"a"
    answer = run(NOTHING_NAMED, settings())
    assert set(channel(fake_s3, answer["train_uri"])) == {"reviews.csv", "labels.txt", "ingest.json"}
    assert set(channel(fake_s3, answer["test_uri"])) == {"reviews_test.csv", "ingest.json"}


def test_channel_of_an_earlier_run_is_a_source(settings, run, site):
    """Data that was ingested once can be named again: its marker is no part of the data."""
    site.serve("/tickets.csv", TABLE.encode())
    first = run(f"{site.url}/tickets.csv", settings())
    again = run(first["train_uri"], settings())
    assert again["data_sha256"] == first["data_sha256"]


def test_manifest_is_written_after_its_files(site, settings, run, fake_s3):
    """Where a manifest lies the data set is complete; it records origin, sizes and hashes."""
    site.serve("/train.json", b"12345")
    site.serve("/test.json", b"123")
    answer = run(site.url, settings())
    root = f"datasets/{answer['data_sha256'][:16]}"
    assert fake_s3.written[:5] == [
        *(f"{root}/train/train.json", f"{root}/test/test.json", f"{root}/train/ingest.json"),
        *(f"{root}/test/ingest.json", f"{root}/manifest.json"),
    ]
    manifest = json.loads(fake_s3.objects["data", f"{root}/manifest.json"])
    assert (manifest["data_sha256"], manifest["source"]) == (answer["data_sha256"], site.url)
    assert [file["size"] for file in manifest["files"]] == [5, 3]
    assert [file["key"] for file in manifest["files"]] == [f"{root}/train/train.json", f"{root}/test/test.json"]
    assert manifest["collected_at"] == "2026-08-01T09:05:07Z"


def test_latest_holds_the_same_files(site, settings, run, fake_s3):
    """Once the data set is complete its files lie under names that do not change, too."""
    site.serve("/train.json", b"12345")
    site.serve("/test.json", b"123")
    run(site.url, settings())
    latest = "datasets/latest"
    assert fake_s3.written[5:] == [
        *(f"{latest}/train/train.json", f"{latest}/test/test.json"),
        *(f"{latest}/train/ingest.json", f"{latest}/test/ingest.json"),
    ]
    assert fake_s3.objects["data", "datasets/latest/train/train.json"] == b"12345"
    assert fake_s3.objects["data", "datasets/latest/test/test.json"] == b"123"


def test_latest_holds_the_last_files_only(settings, run, fake_s3):
    """A data set with other file names replaces the former one: a job reads all files of a channel."""
    put(fake_s3, "other/", "named")
    for name in ("train/train.csv", "train/manifest.json", "train/validation.jsonl", "test/test.csv"):
        fake_s3.objects["data", f"datasets/latest/{name}"] = b"former"
    fake_s3.objects["data", "datasets/latest-notes.txt"] = b"kept"
    run("s3://data/other", settings())
    latest = [key for _, key in fake_s3.objects if key.startswith("datasets/latest")]
    assert sorted(latest) == [
        "datasets/latest-notes.txt",
        "datasets/latest/test/ingest.json",
        "datasets/latest/test/test.json",
        "datasets/latest/train/ingest.json",
        "datasets/latest/train/train.json",
    ]


def test_latest_loses_a_former_test_file(settings, run, fake_s3):
    """One file after a pair: the pair's test file would else be the test of other data."""
    fake_s3.objects["data", "datasets/latest/test/test.json"] = b"former"
    fake_s3.objects["data", "mine/tickets.csv"] = b"mine"
    run("s3://data/mine/tickets.csv", settings())
    assert set(channel(fake_s3, "s3://data/datasets/latest/test/")) == {"ingest.json"}


@pytest.mark.parametrize("source", ["/etc", "", "data", "~"])
def test_folders_of_this_machine_are_no_source(settings, run, source):
    """Whoever can invoke the function alone cannot make it read its own disk."""
    with pytest.raises(InvalidExecutionInputError, match="data_source has no scheme"):
        run(source, settings(allow_bundled=True))


def test_source_of_the_execution_wins(settings, run, fake_s3, site):
    """A data_source in the input is taken before uploaded files and the configured address."""
    put(fake_s3, "source/", "uploaded")
    put(fake_s3, "other/", "named")
    answer = run("s3://data/other", settings(site.url))
    assert (answer["source"], stored(fake_s3, answer["train_uri"])) == ("s3://data/other", "named train.json")


def test_uploaded_files_win_over_the_configured_address(settings, run, fake_s3, site):
    """Files below source/ are one's own data: the configured address is not even asked."""
    put(fake_s3, "source/", "uploaded")
    answer = run(NOTHING_NAMED, settings(site.url, allow_bundled=True))
    assert stored(fake_s3, answer["train_uri"]) == "uploaded train.json"
    assert (answer["source"], site.requested) == ("s3://data/source", [])


def test_folder_marker_is_no_upload(settings, run, fake_s3, site):
    """The empty object that the S3 console makes for a folder does not hide the configured address."""
    fake_s3.objects["data", "source/"] = b""
    site.serve("/train.json", b"a")
    site.serve("/test.json", b"b")
    assert run(NOTHING_NAMED, settings(site.url))["source"] == site.url


def test_half_an_upload_is_an_error(settings, run, fake_s3, bundled):
    """Files below source/ without one to learn from are reported, not passed over."""
    fake_s3.objects["data", "source/test.csv"] = b"a"
    with pytest.raises(DataUnavailableError, match=r"no training data; found: test\.csv"):
        run(NOTHING_NAMED, settings(allow_bundled=True))


def test_unreachable_address_falls_back(settings, run, fake_s3, closed_url, bundled):
    """Where allowed, the bundled set stands in for the configured address, and the answer says so."""
    answer = run(NOTHING_NAMED, settings(closed_url, allow_bundled=True))
    assert (answer["fell_back"], answer["source"]) == (True, "bundled")
    assert closed_url in answer["reason"]
    assert stored(fake_s3, answer["train_uri"]) == (bundled / "train.json").read_text(encoding="utf-8")


def test_unreachable_address_without_permission_is_an_error(settings, run, fake_s3, closed_url):
    """Where the bundled set is not allowed, nothing stands in and nothing is written."""
    with pytest.raises(DataUnavailableError, match=closed_url):
        run(NOTHING_NAMED, settings(closed_url))
    assert fake_s3.written == []


def test_named_source_is_never_replaced(settings, run, closed_url):
    """Whoever names a data set in the input does not get another one."""
    with pytest.raises(DataUnavailableError) as caught:
        run(closed_url, settings(allow_bundled=True))
    assert type(caught.value) is DataUnavailableError  # the name that Step Functions shows


def test_nothing_configured_uses_the_bundled_set(settings, run):
    """Without any address the bundled set is used where allowed, and the answer says so."""
    answer = run(NOTHING_NAMED, settings(allow_bundled=True))
    assert (answer["source"], answer["fell_back"]) == ("bundled", True)
    assert answer["reason"] == "No data source is configured."


def test_nothing_at_all_says_what_to_do(settings, run):
    """The error lists the ways to give data."""
    with pytest.raises(DataUnavailableError, match=r"s3://data/source/.*data_source"):
        run(NOTHING_NAMED, settings())


def test_metadata_service_is_not_asked(settings, run):
    """An input that names the metadata address is refused before any request."""
    with pytest.raises(InvalidExecutionInputError, match="a special address"):
        run("http://169.254.169.254/latest", settings(allow_bundled=True))
    with pytest.raises(InvalidExecutionInputError, match="not public"):
        run("http://127.0.0.2/data", settings(allow_internal=False))


def test_redirect_to_the_metadata_service_is_not_followed(site, answer, settings, run):
    """Nor is it reached through a redirect of a harmless host."""
    site.serve("/train.json", answer(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data"}))
    with pytest.raises(InvalidExecutionInputError, match=r"169\.254\.169\.254"):
        run(site.url, settings(allow_bundled=True))


@pytest.mark.parametrize("operation", ["ListObjectsV2", "PutObject", "DeleteObject"])
def test_missing_rights_are_named(settings, run, fake_s3, operation):
    """A role without rights on the bucket ends in an error with S3's code and the place."""
    fake_s3.objects["data", "datasets/latest/train/train.csv"] = b"former"
    fake_s3.denied.add(operation)
    with pytest.raises(StorageError, match=r"s3://data/.*AccessDenied"):
        run(NOTHING_NAMED, settings(allow_bundled=True))
