"""What the training gets: tables with ids of labels, and validation rows."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from classifier.data.splits import load_splits
from classifier.errors import DataError, HyperparameterError
from classifier.job.environment import JobEnvironment
from classifier.job.hyperparameters import Hyperparameters

ROWS = [{"text": f"text {n} of many", "user_id": f"u{n}"} for n in range(400)]


@pytest.fixture
def splits(tmp_path):
    """Loads the splits of a job on a file or folder, with these hyperparameters."""

    def load(train, test=None, **values):
        folder = tmp_path / "job"
        job = JobEnvironment(train, test, folder / "model", folder / "output", folder / "checkpoints", managed=False)
        return load_splits(job, Hyperparameters(**values))

    return load


def test_many_classes(data_file, splits):
    """Ids are positions in the label set; test and validation rows are held out of one file."""
    data = splits(data_file(*({**row, "label": 10 - n % 11} for n, row in enumerate(ROWS))))
    assert data.objective == "classification" and data.data.label_names == tuple(map(str, range(11)))
    assert data.scale is None and data.data.score_threshold is None
    assert (len(data.train), len(data.validation), len(data.test)) == (257, 66, 77)
    for frame in (data.train, data.validation, data.test):
        assert set(frame["label"]) == set(range(11)) and frame["label"].dtype == int
        assert list(frame.columns) == ["text", "label", "score", "family"] and frame["score"].isna().all()
        numbers = frame["text"].str.extract(r"(\d+)")[0].astype(int)
        assert list(frame["label"]) == list(10 - numbers % 11)
    assert len({*data.train["text"], *data.validation["text"], *data.test["text"]}) == 400


def test_several_labels(data_file, splits):
    """A label is a sorted tuple of ids, which may be empty."""
    rows = [{**row, "labels": [name for k, name in enumerate("cba") if n >> k & 1]} for n, row in enumerate(ROWS)]
    data = splits(data_file(*rows))
    assert data.objective == "multilabel" and data.data.label_names == ("a", "b", "c")
    for frame in (data.train, data.validation, data.test):
        for text, ids in zip(frame["text"], frame["label"], strict=True):
            number = int(text.split()[1])
            assert ids == tuple(2 - k for k in (2, 1, 0) if number >> k & 1)


def test_a_score(data_file, splits):
    """Its scale is that of the training rows; classification learns its labels instead."""
    path = data_file(*({**row, "stars": n % 9 / 2} for n, row in enumerate(ROWS)))
    told = {"score_column": "stars", "score_threshold": 2}
    data = splits(path, **told)
    assert (data.objective, data.data.score_threshold, data.data.label_names) == ("regression", 2.0, ("low", "high"))
    assert data.scale is not None and data.scale.mean == pytest.approx(data.train["score"].mean())
    assert list(data.train["label"]) == [int(score >= 2) for score in data.train["score"]]
    labels = splits(path, objective="classification", **told)
    assert labels.objective == "classification" and labels.scale is None
    assert not any(math.isnan(score) for score in labels.train["score"])


def test_regression_needs_a_score(data_file, splits):
    """Labels in words have none."""
    with pytest.raises((HyperparameterError, DataError)):
        splits(data_file(*({**row, "label": "ab"[n % 2]} for n, row in enumerate(ROWS))), objective="regression")


def test_a_validation_file_is_used(data_file, splits, tmp_path):
    """Nothing is held out of the training rows then."""
    for name, start, end in (("train", 0, 200), ("dev", 200, 300), ("test", 300, 400)):
        rows = [{**row, "label": "ab"[n % 2]} for n, row in enumerate(ROWS)][start:end]
        data_file(*rows, name=f"d/{name}.jsonl")
    data = splits(tmp_path / "d")
    assert (len(data.train), len(data.validation), len(data.test)) == (200, 100, 100)


def test_canonical_files_give_the_same_splits(data_file, splits, load, tmp_path):
    """Whether the job reads a file itself or what was stored before."""
    path = data_file(*({**row, "label": "abc"[n % 3]} for n, row in enumerate(ROWS)))
    load(path, test_fraction=0.2).write(tmp_path / "canonical")
    raw, stored = splits(path), splits(tmp_path / "canonical")
    for split in ("train", "validation", "test"):
        pd.testing.assert_frame_equal(getattr(raw, split), getattr(stored, split))
    assert raw.data.data_sha256 == stored.data.data_sha256 and raw.data.label_names == stored.data.label_names
    assert raw.data.manifest == stored.data.manifest


def test_what_was_set_aside_is_counted_and_listed(data_file, splits, tmp_path):
    """In the job's output, without a text in the log."""
    rows = [{**row, "label": "ab"[n % 2]} for n, row in enumerate(ROWS)]
    data = splits(data_file(*rows, rows[0], "not json"))
    assert data.data.set_aside == {"train": {"malformed": 1, "empty": 0, "duplicate": 1}}
    assert (tmp_path / "job" / "output" / "quarantine-train.jsonl").exists()
