"""Canonical files and their manifest: reading them back gives the same data, and no other reading."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.data.dataset import DataSettings, load_data
from classifier.errors import DataError
from classifier.job.hyperparameters import Hyperparameters

TEXTS = [f"this is text {n} of some" for n in range(40)]


@pytest.fixture(params=["classification", "multilabel", "regression", "own splits"])
def original(request, data_file, load):
    """Data of each kind, with groups and families."""
    kind = request.param
    target = {
        "classification": lambda n: {"label": f"l{n % 3}"},
        "own splits": lambda n: {"label": n % 2},
        "multilabel": lambda n: {"labels": [name for k, name in enumerate("abc") if n >> k & 1]},
        "regression": lambda n: {"score": n / 25 + 1 / 3},
    }[kind]
    rows = [
        {"text": text, "user_id": f"u{n % 8}", "product_family": "xy"[n % 2], **target(n)}
        for n, text in enumerate(TEXTS)
    ]
    if kind == "own splits":
        data_file(*rows[:20], name="d/train.jsonl")
        data_file(*rows[20:30], name="d/dev.jsonl")
        return load(data_file(*rows[30:], name="d/test.jsonl").parent)
    return load(data_file(*rows), test_fraction=0.25)


def as_read(data):
    """Everything but the lines, which are those of another file."""
    return {
        split: [(row.text, row.labels, row.score, row.group, row.family) for row in rows]
        for split, rows in data.splits.items()
    }


def test_reading_back_is_exact(original, load, tmp_path):
    """Labels, their order, rows, splits, objective, threshold, hash and summary are the same."""
    manifest = original.write(tmp_path / "out")
    again = load(tmp_path / "out", test_fraction=0.2)
    assert as_read(again) == as_read(original) and set(again.splits) >= {"train", "test"}
    for name in ("objective", "label_names", "score_threshold", "data_sha256", "set_aside"):
        assert getattr(again, name) == getattr(original, name)
    assert [again.ids(split) for split in again.splits] == [original.ids(split) for split in original.splits]
    assert again.summary() == original.summary() and again.manifest == manifest
    assert manifest == json.loads((tmp_path / "out" / "manifest.json").read_text())


def test_writing_again_gives_the_same_files(original, load, tmp_path):
    """Canonical files are their own canonical form."""
    original.write(tmp_path / "a")
    load(tmp_path / "a", test_fraction=0.2).write(tmp_path / "b")
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "b").iterdir())
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)


def test_the_manifest_says_what_was_done(original, tmp_path):
    """It has the form that the other parts read."""
    manifest = original.write(tmp_path / "out")
    assert set(manifest) == {
        "version", "objective", "labels", "score_threshold", "source", "splits", "held_out", "set_aside", "findings",
    }  # fmt: skip
    assert set(manifest["source"]) >= {"name", "sha256", "read_as", "columns"}
    for split, entry in manifest["splits"].items():
        lines = [json.loads(line) for line in (tmp_path / "out" / entry["file"]).read_text().splitlines()]
        key = {"classification": "label", "multilabel": "labels", "regression": "score"}[original.objective]
        assert len(lines) == entry["rows"] and all(set(line) == {"text", key, "group", "family"} for line in lines)
        assert list(entry["labels"]) == manifest["labels"] and split in ("train", "validation", "test")


def test_channels_hold_a_split_each(original, load, tmp_path):
    """A job's channels have the manifest in both folders."""
    original.write(tmp_path / "train")
    (tmp_path / "test").mkdir()
    (tmp_path / "train" / "test.jsonl").rename(tmp_path / "test" / "test.jsonl")
    (tmp_path / "test" / "manifest.json").write_bytes((tmp_path / "train" / "manifest.json").read_bytes())
    assert as_read(load(tmp_path / "train", tmp_path / "test", test_fraction=0.2)) == as_read(original)


def test_a_changed_file_is_refused(original, load, tmp_path):
    """The manifest would say something else than the file."""
    original.write(tmp_path / "out")
    with (tmp_path / "out" / "train.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(DataError, match=r"train\.jsonl is not the file that manifest\.json describes"):
        load(tmp_path / "out", test_fraction=0.2)
    (tmp_path / "out" / "train.jsonl").unlink()
    with pytest.raises(DataError):
        load(tmp_path / "out", test_fraction=0.2)


def test_another_version_is_refused(original, load, tmp_path):
    """A later version may mean something else by the same words."""
    manifest = original.write(tmp_path / "out")
    (tmp_path / "out" / "manifest.json").write_text(json.dumps({**manifest, "version": 2}))
    with pytest.raises(DataError, match="has version 2; this code reads version 1"):
        load(tmp_path / "out")


@pytest.fixture
def written(data_file, load, tmp_path):
    """Canonical files that were read with settings."""
    rows = [{"review": text, "mark": n % 2, "user_id": f"u{n % 8}"} for n, text in enumerate(TEXTS)]
    told = {"text_column": "review", "label_names": "bad,good", "test_fraction": 0.25}
    load(data_file(*rows), **told).write(tmp_path / "out")
    return tmp_path / "out"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"text_column": "review"},
        {"label_column": "mark"},
        {"label_names": "bad,good"},
        {"product_column": "user_id"},
        {"product_column": "asin", "family_column": "product_family"},
        {"test_fraction": 0.25},
        {"objective": "classification"},
        {"seed": 7},
        {"max_lost_share": 0.5},
    ],
)
def test_settings_that_agree_are_accepted(written, load, settings):
    """They may be repeated, or left out."""
    assert load(written, **{"test_fraction": 0.2, **settings}).label_names == ("bad", "good")


@pytest.mark.parametrize(
    "settings",
    [
        {"text_column": "sentence"},
        {"label_column": "verdict"},
        {"label_names": "good,bad"},
        {"positive_label": "bad"},
        {"test_fraction": 0.5},
        {"encoding": "cp1252"},
        {"delimiter": ";"},
        {"score_threshold": 2.0},
        {"objective": "multilabel"},
        {"objective": "regression"},
    ],
)
def test_settings_that_ask_for_another_reading_are_refused(written, load, settings):
    """The original file is needed for them."""
    (name,) = settings
    with pytest.raises(DataError, match=f"{name}=.* differs from how this data was read"):
        load(written, **{"test_fraction": 0.2, **settings})


@pytest.mark.parametrize(
    ("objective", "agreeing"),
    [
        ("regression", {"auto", "regression", "classification"}),
        ("classification", {"auto", "classification"}),
        ("multilabel", {"auto", "multilabel"}),
    ],
)
def test_an_objective_that_the_data_contradicts_is_refused(data_file, load, tmp_path, objective, agreeing):
    """Only the label of a score can be learned instead."""
    column = {"regression": {"score": 0.5}, "classification": {"label": "a"}, "multilabel": {"label": ["a", "b"]}}
    other = {"regression": {"score": 1.5}, "classification": {"label": "b"}, "multilabel": {"label": ["b"]}}
    rows = [{"text": text, **(column, other)[n % 2][objective]} for n, text in enumerate(TEXTS)]
    load(data_file(*rows)).write(tmp_path / "out")
    for wanted in ("auto", "regression", "classification", "multilabel"):
        if wanted in agreeing:
            assert load(tmp_path / "out", test_fraction=0.2, objective=wanted).objective == objective
        else:
            with pytest.raises(DataError, match=f"objective={wanted} differs from how this data was read"):
                load(tmp_path / "out", test_fraction=0.2, objective=wanted)


@pytest.mark.parametrize(("name", "default"), [("text_column", ""), ("label_names", ""), ("test_fraction", "0.2")])
def test_a_default_that_is_stated_is_refused_where_another_value_was_set(written, name, default):
    """Left out, it asks for nothing; stated, it asks for a finding."""
    settings = DataSettings.of(Hyperparameters.parse({name: default}))
    with pytest.raises(DataError, match=f"{name}=.* differs from how this data was read"):
        load_data(written, None, settings)
    load_data(written, None, DataSettings.of(Hyperparameters.parse({"label_column": "", "encoding": "auto"})))


def test_versions_of_the_data_have_different_hashes(data_file, load):
    """Under one name, in any role; the name itself says nothing."""
    rows = [{"text": text, "label": n % 2} for n, text in enumerate(TEXTS)]
    one = data_file(*rows, name="v1/data.csv.jsonl")
    two = data_file(*rows, rows[0], name="v2/data.csv.jsonl")
    test = data_file(*rows[:6], {"text": "an other", "label": 0}, name="test/data.csv.jsonl")
    copy = data_file(*rows, name="v3/other.jsonl")
    hashes = [load(a, b).data_sha256 for a, b in [(one, None), (two, None), (one, test), (two, test), (test, one)]]
    assert len(set(hashes)) == 5
    assert load(copy, test).data_sha256 == load(one, test).data_sha256


@given(texts=st.lists(st.text(min_size=1, max_size=20), min_size=8, max_size=20, unique=True))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_survives(texts, data_file, load, tmp_path):
    """Line separators, quotes and signs of any script come back as they were."""
    rows = [{"text": text, "label": "ab"[n % 2]} for n, text in enumerate(texts)]
    fill = [{"text": f"filled in {n}", "label": "ab"[n % 2]} for n in range(60)]
    data = load(data_file(*rows, *fill), text_column="text", label_column="label", max_lost_share=1.0)
    data.write(tmp_path / "out")
    again = load(tmp_path / "out", test_fraction=0.2)
    assert as_read(again) == as_read(data)
    given_texts = {text.strip() for text in texts}
    assert {row.text for row in again.splits["train"][: -len(fill)]} <= given_texts


def test_another_data_file_beside_them_is_refused(original, load, refused, tmp_path):
    """It may be the newer one; what other steps write there is no data."""
    original.write(tmp_path / "out")
    for name in ("quarantine-train.jsonl", "suspects.jsonl"):
        (tmp_path / "out" / name).write_text("{}\n")
    assert as_read(load(tmp_path / "out", test_fraction=0.2)) == as_read(original)
    (tmp_path / "out" / "tickets.csv").write_text("text,label\na,b\n")
    said = refused(tmp_path / "out", test_fraction=0.2)
    assert "tickets.csv lies beside the files that manifest.json describes" in said
