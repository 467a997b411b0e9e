"""Which file is which split."""

from __future__ import annotations

import pytest

from classifier.data.layout import find_sources
from classifier.errors import DataError


@pytest.fixture
def folder(tmp_path):
    """Makes a folder with files of these names, all different."""

    def make(*names, below="data"):
        for name in names:
            path = tmp_path / below / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{below}/{name}")
        return tmp_path / below

    return make


def names(sources):
    return {split: path.name for split, path in sources.files.items()}


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["train.csv", "test.csv"], {"train": "train.csv", "test": "test.csv"}),
        (["train.tsv", "dev.tsv", "test.tsv"], {"train": "train.tsv", "validation": "dev.tsv", "test": "test.tsv"}),
        (["train.jsonl.gz", "valid.jsonl.gz"], {"train": "train.jsonl.gz", "validation": "valid.jsonl.gz"}),
        (["Training.CSV", "val.csv"], {"train": "Training.CSV", "validation": "val.csv"}),
        (
            ["train-00000-of-00001.parquet", "test-00000-of-00001.parquet"],
            {"train": "train-00000-of-00001.parquet", "test": "test-00000-of-00001.parquet"},
        ),
        (["my_train.xlsx", "my_test.xlsx"], {"train": "my_train.xlsx", "test": "my_test.xlsx"}),
        (["reviews.jsonl", "README.md", "labels.txt"], {"train": "reviews.jsonl"}),
        (["tickets.zip", "code.tar.gz"], {"train": "tickets.zip"}),
        (["reviews.csv", "test.csv"], {"train": "reviews.csv", "test": "test.csv"}),
        (["train/data.csv", "test/data.csv"], {"train": "data.csv", "test": "data.csv"}),
        (["train.json", "train_v2.json"], {"train": "train.json"}),
    ],
)
def test_files_of_a_folder(folder, files, found):
    """The usual names, in any usual form; a single file needs no name."""
    assert names(find_sources(folder(*files), None)) == found


def test_files_that_are_not_used_are_named(folder):
    """Nothing is ignored without a word."""
    assert find_sources(folder("train.json", "train_v2.json", "extra.csv", "notes.md"), None).unused == [
        "extra.csv",
        "train_v2.json",
    ]


@pytest.mark.parametrize("files", [["a.json", "b.json"], ["train.json", "train.csv"]])
def test_an_ambiguous_folder_is_refused(folder, files):
    """The message lists the files."""
    with pytest.raises(DataError, match=", ".join(sorted(files))):
        find_sources(folder(*files), None)


def test_a_folder_without_training_data_is_refused(folder):
    """It says what was found."""
    with pytest.raises(DataError, match="holds no training data; data files found: none"):
        find_sources(folder("README.md"), None)
    with pytest.raises(DataError, match=r"found: test\.csv"):
        find_sources(folder("test.csv"), None)


def test_a_missing_file_is_refused(tmp_path):
    """A missing file is a DataError, not a traceback."""
    with pytest.raises(DataError, match="No such file"):
        find_sources(tmp_path / "train.json", None)


def test_channels_of_a_job(folder):
    """Each channel has its file; a test channel without one is no test file."""
    train, test = folder("data.csv", below="train"), folder("data.csv", "ingest.json", below="test")
    assert find_sources(train, test).files == {"train": train / "data.csv", "test": test / "data.csv"}
    (test / "data.csv").unlink()
    assert find_sources(train, test).files == {"train": train / "data.csv"}


def test_a_folder_as_both_channels_gives_each_its_file(folder):
    """Files are told apart by their names."""
    both = folder("train.csv", "test.csv")
    assert names(find_sources(both, both)) == {"train": "train.csv", "test": "test.csv"}


def test_a_test_file_that_is_named_wins(folder, tmp_path):
    """The other one is told as not used."""
    other = folder("holdout.csv", below="other") / "holdout.csv"
    sources = find_sources(folder("train.csv", "test.csv"), other)
    assert sources.files["test"] == other and sources.unused == ["test.csv"]


@pytest.mark.parametrize("copied", [False, True])
def test_one_file_as_both_is_refused(folder, tmp_path, copied):
    """Also where one is a copy of the other."""
    train = folder("train.csv") / "train.csv"
    test = tmp_path / "copy.csv" if copied else train
    test.write_bytes(train.read_bytes())
    with pytest.raises(DataError, match="train data and the test data are the same file"):
        find_sources(train, test)


def test_files_of_a_subfolder_that_are_not_used_are_named(folder):
    """`test/` counts where the folder has no files itself, or where it is given."""
    data = folder("train.csv", "test/test.csv", "other/more.csv")
    sources = find_sources(data, None)
    assert names(sources) == {"train": "train.csv"} and sources.unused == ["test/test.csv"]
    given = find_sources(data, data / "test")
    assert names(given) == {"train": "train.csv", "test": "test.csv"} and not given.unused


def test_a_folder_as_on_the_hugging_face_hub_is_read(folder):
    """The files lie in a folder called data, beside a page about them."""
    place = folder("README.md", "data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet")
    found = {"train": "train-00000-of-00001.parquet", "test": "test-00000-of-00001.parquet"}
    assert names(find_sources(place, None)) == found
