"""Properties that hold for every file."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier.data.dataset import DataSettings, load_data
from classifier.errors import DataError

TWO_CLASSES = [{"sentence": f"anchor {number}", "helpful": float(number % 2) * 2} for number in range(24)]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=4), children, max_size=3),
    max_leaves=4,
)
rows = st.fixed_dictionaries(
    {},
    optional={
        "sentence": st.text(max_size=12) | json_values,
        "helpful": st.floats(0, 2) | json_values,
        "product_title": json_values,
    },
).map(json.dumps)
lines = (rows | json_values.map(json.dumps) | st.text(max_size=30)).map(lambda line: line.encode(errors="replace"))


def on_one_line(line: bytes) -> bytes:
    """Remove line breaks, and the zero bytes that make a file binary."""
    return line.replace(b"\n", b"").replace(b"\0", b"")


@given(st.lists((lines | st.binary(max_size=20)).map(on_one_line), max_size=20))
@settings(max_examples=40, deadline=None)
def test_every_line_is_accounted_for(unknown):
    """Used, malformed, empty and duplicate rows add up to the lines; the quarantine holds all but the used ones."""
    known = [json.dumps(row).encode() for row in TWO_CLASSES]
    content = b"".join(line + b"\n" for line in known + unknown)
    told = DataSettings(
        text_column="sentence",
        score_column="helpful",
        score_threshold=1.0,
        encoding="utf-8",
        format="jsonl",
        max_lost_share=1.0,
        test_fraction=0.25,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.json"
        path.write_bytes(content)
        data = load_data(path, None, told, quarantine=Path(folder))
        quarantine = Path(folder) / "quarantine-train.jsonl"
        quarantined = quarantine.read_bytes().splitlines() if quarantine.exists() else []
    used = data.splits["train"] + data.splits["test"]
    aside = data.set_aside["train"]
    assert len(used) + sum(aside.values()) == len(known) + len(unknown)
    assert len(quarantined) == sum(aside.values())
    lines_of_rows = [row.line for row in used] + [json.loads(row)["line"] for row in quarantined]
    assert sorted(lines_of_rows) == list(range(1, len(known) + len(unknown) + 1))
    for split, rows in data.splits.items():
        assert data.ids(split) == [(int(row.score >= 1),) for row in rows]
    assert len({(row.text, row.score) for row in used}) == len(used)
    assert all(row.text == row.text.strip() and row.text for row in used)


@given(st.binary(max_size=300), st.sampled_from(["train.json", "train.csv", "train.parquet", "train.xlsx"]))
@example(b"A\x8d\x80\x86\xa6\xee\xc0\xcb\xd1\xe4\xe4", "train.csv")
@settings(max_examples=80, deadline=None)
def test_any_bytes_are_read_or_refused(content, name):
    """Any content is read or refused with a DataError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            data = load_data(path, None)
        except DataError as refusal:
            assert refusal.hint
        else:
            assert len(data.splits["train"]) >= 2


json_tables = st.lists(
    st.dictionaries(st.sampled_from(["text", "label", "a", "b"]), json_values | st.text(max_size=9)), max_size=12
)


@given(json_tables, st.sampled_from(["auto", "multilabel", "regression"]))
@settings(max_examples=150, deadline=None)
def test_any_table_is_read_or_refused(table, objective):
    """Whatever columns hold, the data is read, or the refusal says what to do."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in table))
        try:
            data = load_data(path, None, DataSettings(objective=objective, max_lost_share=1.0))
        except DataError as refusal:
            assert refusal.hint
        else:
            assert data.summary() and 2 <= len(data.label_names) <= 1000
