"""Which column holds what: by name, by content, or as told."""

from __future__ import annotations

import csv
import io
import json

import pytest

TEXTS = [
    f"{who} {what} number {n}" for n in range(12) for who, what in (("my lamp", "shines"), ("your kettle", "leaks"))
]
SENTIMENT = [("good", "bad")[n % 2] for n in range(24)]


def table_of(columns: dict[str, list[object]]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])
    return file.getvalue().encode()


@pytest.fixture
def table(data_file):
    """Writes columns as a CSV file, or as JSON Lines where a value is no text."""

    def write(**columns):
        if all(isinstance(value, str | int | float) for values in columns.values() for value in values):
            return data_file(content=table_of(columns), name="train.csv")
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return data_file(*(json.dumps(row) for row in rows), name="train.jsonl")

    return write


def columns_of(data):
    return data.manifest["source"]["columns"]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("text", "label"),
        ("v2", "v1"),
        ("Review Text", "Final Label"),
        ("comment_text", "kind"),
        ("message", "category"),
        ("内容", "标签"),
        ("reviewText", "targetClass"),
        ("Description", "Class Index"),
    ],
)
def test_text_and_label_are_found_under_many_names(table, load, text, label):
    """Where names say nothing, the content does: long and different, or few values."""
    data = load(table(**{"id": list(range(24)), text: TEXTS, label: SENTIMENT}))
    found = columns_of(data)
    assert (found["text"], found["label"]) == (text, label)
    assert data.label_names == ("bad", "good")


def test_identifiers_dates_links_and_titles_are_not_the_text(table, load):
    """A longer column with another meaning is left alone."""
    links = [f"https://example.org/a/rather/long/address/{n}" for n in range(24)]
    titles = [f"A very long title of the product with a number {n % 6} in it" for n in range(24)]
    dates = [f"2026-01-{n + 1:02d} 10:00:00" for n in range(24)]
    data = load(table(url=links, product_title=titles, text=TEXTS, date=dates, label=SENTIMENT))
    assert columns_of(data)["text"] == "text"


def test_several_possible_labels_are_asked_for(table, refused, load):
    """Two columns of few values, neither of which is called label."""
    columns = {"text": TEXTS, "colour": SENTIMENT, "shape": [f"s{n % 3}" for n in range(24)]}
    assert "several columns could be the label: colour (2 values), shape (3 values)" in refused(table(**columns))
    assert load(table(**columns), label_column="shape").label_names == ("s0", "s1", "s2")


def test_words_are_taken_where_another_column_numbers_them(table, load):
    """`label` and `label_text` say the same."""
    numbers = [int(word == "good") for word in SENTIMENT]
    data = load(table(text=TEXTS, label=numbers, label_text=SENTIMENT))
    assert columns_of(data)["label"] == "label_text"
    assert "label_text names the numbers of label" in data.summary()


@pytest.mark.parametrize(
    "names", [("premise", "hypothesis"), ("sentence1", "sentence2"), ("text_a", "text_b"), ("question", "passage")]
)
def test_text_pairs_are_refused_with_the_reason(table, refused, load, names):
    """Their label says how two texts relate; one of them can be named."""
    others = [f"another text about {n}" for n in range(24)]
    path = table(**{names[0]: TEXTS, names[1]: others, "label": SENTIMENT})
    assert "holds text pairs" in refused(path) and names[0] in refused(path)
    assert columns_of(load(path, text_column=names[1]))["text"] == names[1]


def test_a_missing_column_lists_those_there_are(table, refused):
    """The message has the wanted name and those found, so that the right one can be chosen."""
    said = refused(table(review=TEXTS, stars=SENTIMENT), text_column="sentence")
    assert "has no column 'sentence'; its columns are: review, stars." in said and "text_column" in said
    assert "no column 'verdict'" in refused(table(review=TEXTS, stars=SENTIMENT), label_column="verdict")
    assert "no column 'user'" in refused(table(text=TEXTS, label=SENTIMENT), product_column="user")


def test_defaults_of_an_earlier_version_may_be_stated(table, load):
    """Launch inputs of that time name asin and product_family, which other data has not."""
    data = load(table(text=TEXTS, label=SENTIMENT), product_column="asin", family_column="product_family")
    assert columns_of(data) == {"text": "text", "label": "label", "score": None, "group": None, "family": None}


def test_the_test_file_needs_the_same_columns(table, data_file, refused):
    """The columns are chosen once, from the training data."""
    test = data_file(content=table_of({"text": TEXTS[:4], "verdict": SENTIMENT[:4]}), name="test.csv")
    assert "test.csv has no column 'label'" in refused(table(text=TEXTS, label=SENTIMENT), test)


def test_groups_are_found_by_name(table, load):
    """A user's texts belong together."""
    data = load(table(user_id=[f"u{n % 6}" for n in range(24)], text=TEXTS, label=SENTIMENT))
    assert columns_of(data)["group"] == "user_id"
    assert {row.group for row in data.splits["train"]} == {f"u{n}" for n in range(6)}


COMBINATIONS = [("joy",), ("joy", "love"), ("anger",), ("love", "anger"), ("love",), ("joy", "anger")]


def combinations(form):
    return [form(COMBINATIONS[n % 6]) for n in range(24)]


@pytest.mark.parametrize(
    "form",
    [list, json.dumps, repr, "|".join, "; ".join, ",".join, lambda given: f"[{' '.join(map(repr, given))}]"],
)
def test_several_labels_in_a_cell(table, load, form):
    """Lists, their text as JSON, Python and numpy write it, and the usual separators."""
    data = load(table(text=TEXTS, emotions=combinations(lambda given: form(list(given)))))
    assert (data.objective, data.label_names) == ("multilabel", ("anger", "joy", "love"))
    assert [row.labels for row in data.splits["train"]] == combinations(lambda given: tuple(sorted(given)))


def test_a_column_of_zero_and_one_for_each_label(table, load):
    """Labels are the columns' names; a text may have none."""
    columns = {"toxic": [n % 2 for n in range(24)], "insult": [int(n % 3 == 0) for n in range(24)]}
    data = load(table(id=list(range(24)), comment_text=TEXTS, **columns))
    assert (data.objective, data.label_names) == ("multilabel", ("insult", "toxic"))
    assert [row.labels for row in data.splits["train"][:3]] == [("insult",), ("toxic",), ()]
    assert data.manifest["splits"]["train"]["labels"] == {"insult": 8, "toxic": 12}


def test_one_one_in_each_row_is_one_label_a_text(table, load):
    """One-hot columns are classes."""
    columns = {name: [int(n % 3 == k) for n in range(24)] for k, name in enumerate(("red", "green", "blue"))}
    assert load(table(text=TEXTS, **columns)).objective == "classification"
    assert load(table(text=TEXTS, **columns), objective="multilabel").objective == "multilabel"


def test_label_columns_can_be_named(table, load):
    """Of three columns of 0 and 1, two are labels; forms have yes and no, or crosses."""
    columns = {name: [int(n % k == 0) for n in range(24)] for k, name in enumerate(("b", "a", "other"), 2)}
    assert load(table(text=TEXTS, **columns), label_column="b, a").label_names == ("a", "b")
    for yes, no in (("Yes", "No"), ("x", "")):
        crosses = {name: [yes if n % k == 0 else no for n in range(24)] for k, name in enumerate(("b", "a"), 2)}
        data = load(table(text=TEXTS, **crosses), label_column="b,a")
        assert data.manifest["splits"]["train"]["labels"] == {"a": 8, "b": 12}


@pytest.mark.parametrize(
    "names", [("spam & scam; etc.", "ham, eggs"), ("Home, Garden", "Home, Kitchen"), ("a|b", "c|d")]
)
def test_words_with_separators_stay_one_label(table, load, names):
    """Their parts do not occur by themselves."""
    data = load(table(text=TEXTS, label=[names[n % 2] for n in range(24)]))
    assert data.objective == "classification" and set(data.label_names) == set(names)


def test_the_separator_can_be_told(table, load):
    """It may be one that nobody expects, or none."""
    path = table(text=TEXTS, label=combinations("/".join))
    assert load(path).objective == "classification"
    assert load(path, label_separator="/").label_names == ("anger", "joy", "love")
    path = table(text=TEXTS, label=combinations(";".join))
    assert load(path, label_separator="none").objective == "classification"


@pytest.mark.parametrize(
    ("written", "first"),
    [("4.5 out of 5 stars", 4.5), ("4,5", 4.5), ("45 %", 45.0), ("1.234,5", 1234.5), ("4.5/5", 4.5), ("+0.5", 0.5)],
)
def test_scores_as_people_write_them(table, load, written, first):
    """Decimal commas, stars and percents are numbers."""
    scores = [written if n % 2 == 0 else written.replace("4", "1").replace("5", "2") for n in range(24)]
    data = load(table(text=TEXTS, rating=scores), score_column="rating", score_threshold=first, max_lost_share=0)
    assert data.splits["train"][0].score == first


def test_fractions_without_labels_are_a_score(table, load):
    """A column of fractional numbers is no class."""
    scores = [round(n / 16, 2) for n in range(24)]
    data = load(table(text=TEXTS, agreement=scores))
    assert (data.objective, data.score_threshold, data.label_names) == ("regression", 1.0, ("low", "high"))


def test_stars_are_classes_unless_a_score_is_wanted(table, load):
    """1 to 5 are five classes in the order of their values."""
    path = table(text=TEXTS, stars=[n % 5 + 1 for n in range(24)])
    assert load(path).label_names == ("1", "2", "3", "4", "5")
    data = load(path, objective="regression", score_threshold=4)
    assert data.objective == "regression" and data.manifest["splits"]["train"]["labels"] == {"low": 15, "high": 9}


def test_one_label_a_text_is_not_made_of_several(table, refused):
    """objective=classification fits no data with several labels."""
    assert "needs one label a text" in refused(table(text=TEXTS, label=combinations(list)), objective="classification")


@pytest.mark.parametrize(
    ("train", "test", "sign"),
    [
        ("1.5", "1,5", "comma"),
        ("1,5", "1,234.5", "point"),
        ("1.5", "1,234", ""),
        ("1,5", "1.5", ""),
        ("1,5", "2,5", ""),
    ],
)
def test_a_decimal_sign_that_differs_between_files_is_refused(data_file, load, refused, train, test, sign):
    """`1,5` beside `1.5` is never read as 15."""
    first = data_file(content=table_of({"text": TEXTS, "rating": [train, "9"] * 12}), name="train.csv")
    other = data_file(content=table_of({"text": ["one more", "and another"], "rating": [test, "9"]}), name="t/test.csv")
    told = {"score_column": "rating", "score_threshold": 3}
    if sign:
        assert f"test.csv writes rating with a decimal {sign}, train.csv" in refused(first, other, **told)
    else:
        read = {"1,234": 1234.0, "1.5": 1.5, "2,5": 2.5}[test]
        assert load(first, other, **told).splits["test"][0].score == read


def test_a_score_beside_a_label_column_is_refused(table, load, refused):
    """One of them is learned; an earlier version's default may be stated."""
    path = table(text=TEXTS, label=SENTIMENT, stars=[n % 5 + 1 for n in range(24)])
    said = refused(path, label_column="label", score_column="stars", score_threshold=3)
    assert "label_column=label and score_column=stars are both set" in said and "Leave label_column out" in said
    data = load(path, label_column="label", score_column="helpful", score_threshold=1.0)
    assert data.label_names == ("bad", "good")


def test_a_threshold_without_a_score_is_refused(table, load, refused):
    """Stars would be classes, and the threshold do nothing."""
    path = table(text=TEXTS, stars=[n % 5 + 1 for n in range(24)])
    said = refused(path, score_threshold=4)
    assert "score_threshold=4 is set" in said and "Set score_column to stars" in said
    assert load(path, score_column="stars", score_threshold=4).objective == "regression"
    assert load(path, score_column="helpful", score_threshold=1.0).objective == "classification"


def test_a_label_column_that_only_the_test_file_fills_is_refused(data_file, load, refused):
    """All 0, it looks like no label, and the test file's 1 would be lost."""
    columns = {"toxic": [n % 2 for n in range(24)], "insult": [int(n % 3 == 0) for n in range(24)], "threat": [0] * 24}
    train = data_file(content=table_of({"text": TEXTS, **columns}), name="train.csv")
    texts = [f"an other {text}" for text in TEXTS]
    same = data_file(content=table_of({"text": texts, **columns}), name="same/test.csv")
    filled = data_file(content=table_of({"text": texts, **columns, "threat": [0, 1] * 12}), name="filled/test.csv")
    assert "Column threat has 1 in test.csv, but 0 in every row of the training data" in refused(train, filled)
    assert load(train, same).label_names == ("insult", "toxic")
    assert load(train, filled, label_column="toxic,insult").label_names == ("insult", "toxic")


def test_pairs_of_label_numbers_are_no_decimals(table, load):
    """`0,1` is two labels where the smaller number comes first in each cell and numbers stand on both sides."""
    data = load(table(text=TEXTS, label=[f"{n % 3},{n % 3 + 1 + n % 2}" for n in range(24)]))
    assert (data.objective, data.label_names) == ("multilabel", ("0", "1", "2", "3", "4"))


@pytest.mark.parametrize("form", ["{whole},5", "0,{whole}", "{whole},{other}"])
def test_decimals_with_a_comma_stay_numbers(table, load, form):
    """Halves, parts of one, and any."""
    ratings = [form.format(whole=n % 5 + 1, other=n * 7 % 10) for n in range(24)]
    assert (
        load(table(text=TEXTS, rating=ratings), score_threshold=0.4 if form[0] == "0" else 3).objective == "regression"
    )


def test_a_column_called_sentiment_beside_flags_is_asked_for(table, refused, load):
    """Either is the label; a column that names nothing of the kind is said not to be used."""
    flags = {"refund": [n % 2 for n in range(24)], "delay": [int(n % 3 == 0) for n in range(24)]}
    columns = {"text": TEXTS, "customer sentiment": [("good", "bad", "so")[n % 3] for n in range(24)], **flags}
    said = refused(table(**columns))
    assert "the label could be customer sentiment, or one of several: refund, delay" in said and "label_column" in said
    assert load(table(**columns), label_column="refund,delay").objective == "multilabel"
    data = load(table(text=TEXTS, country=columns["customer sentiment"], **flags))
    assert data.label_names == ("delay", "refund") and any("not used: country" in line for line in data.summary())


def test_a_column_of_splits_is_said_not_to_be_used(table, load):
    """The rows are held out anew; a file for each split keeps them."""
    data = load(table(text=TEXTS, label=SENTIMENT, set=[("TRAIN", "TEST")[n % 4 == 0] for n in range(24)]))
    assert any(line.startswith("set names a split for each row") for line in data.summary())


def test_a_missing_value_that_a_program_wrote_is_no_label(table, load):
    """`nan` is set aside with its reason; N/A may be an answer of a survey."""
    data = load(table(text=TEXTS, label=["nan", "N/A", "N/A", *SENTIMENT[3:]]))
    assert data.label_names == ("N/A", "bad", "good")
    assert data.set_aside["train"]["malformed"] == 1
