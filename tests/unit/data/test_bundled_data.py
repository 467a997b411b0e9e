"""The bundled data set: large enough, in the real set's form, made for this project, and learnable."""

from __future__ import annotations

import json
import re

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

from classifier.data.dataset import load_data
from classifier.data.splits import frame_of


def rows(folder, split):
    return [json.loads(line) for line in (folder / f"{split}.json").read_text(encoding="utf-8").splitlines()]


def frame(folder, split):
    return frame_of(load_data(folder, None), split)


def plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def test_size_and_balance(bundled):
    """At least 560 and 140 rows, both classes well represented."""
    for split, least in (("train", 560), ("test", 140)):
        data = load_data(bundled, None)
        assert not any(data.set_aside[split].values()) and len(data.splits[split]) >= least
        assert 0.4 < frame(bundled, split)["label"].mean() < 0.75


def test_same_form_as_the_real_set(bundled):
    """The keys are the real set's and the family, the scores lie in [0, 2], and the products are marked as invented."""
    for row in rows(bundled, "train") + rows(bundled, "test"):
        assert list(row) == ["asin", "sentence", "helpful", "main_image_url", "product_title", "product_family"]
        assert 0 <= row["helpful"] <= 2
        assert re.fullmatch(r"SYN\d{7}", row["asin"])
        assert row["main_image_url"] == ""


def test_families_are_large_enough_to_be_compared(bundled):
    """Every product is of one family, and each of the five has at least 30 rows of both classes in the test file."""
    everything = rows(bundled, "train") + rows(bundled, "test")
    assert len({(row["asin"], row["product_family"]) for row in everything}) == len({row["asin"] for row in everything})
    test = frame(bundled, "test")
    sizes = test.groupby("family").size()
    assert len(sizes) == 5 and sizes.min() >= 30
    assert set(test.groupby("family")["label"].nunique()) == {2}
    note = (bundled / "README.md").read_text(encoding="utf-8")
    train = frame(bundled, "train").groupby("family").size()
    assert all(f"| {family} | {train[family]} | {size} |" in note for family, size in sizes.items())


def test_no_sentence_occurs_twice(bundled):
    """No sentence is repeated within or across the files."""
    texts = [plain(row["sentence"]) for row in rows(bundled, "train") + rows(bundled, "test")]
    assert len(set(texts)) == len(texts)


def test_note_beside_the_data_has_the_right_figures(bundled):
    """The README states the rows and the share of helpful ones that the files have."""
    note = (bundled / "README.md").read_text(encoding="utf-8")
    for split in ("train", "test"):
        rows_of = frame(bundled, split)
        assert f"| `{split}.json` | {len(rows_of)} | {rows_of['label'].mean():.0%}".replace("%", " %") in note
    assert "synthetic" in note


def test_nothing_is_taken_from_the_real_set(bundled, real_set):
    """No sentence and no product title of ours occurs there."""
    ours = rows(bundled, "train") + rows(bundled, "test")
    real = rows(real_set, "train") + rows(real_set, "test")
    for key in ("sentence", "product_title"):
        assert not {plain(row[key]) for row in ours} & {plain(row[key]) for row in real}


def test_length_alone_does_not_give_the_label_away(bundled):
    """The best rule on the number of characters is far worse than words."""
    test = frame(bundled, "test")
    lengths = test["text"].str.len()
    best = max(((lengths >= limit) == test["label"]).mean() for limit in range(200))
    assert best < 0.8


def test_words_tell_the_classes_apart(bundled):
    """Word counts and ridge regression on the score reach the quality that the README states."""
    train, test = (frame(bundled, split) for split in ("train", "test"))
    words = TfidfVectorizer(ngram_range=(1, 2))
    model = Ridge().fit(words.fit_transform(train["text"]), train["score"])
    predicted = model.predict(words.transform(test["text"])) >= 1
    assert 0.75 < (predicted == test["label"]).mean() < 0.97
