"""Properties that hold for every file."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.data.prepare import prepare
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
    """Kept, malformed, empty and duplicate rows add up to the lines; the quarantine holds all but the kept ones."""
    known = [json.dumps(row).encode() for row in TWO_CLASSES]
    content = b"".join(line + b"\n" for line in known + unknown)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.json"
        path.write_bytes(content)
        prepared = prepare(path, quarantine_path=Path(folder) / "q.jsonl")
        counts = prepared.counts
        quarantine = Path(folder) / "q.jsonl"
        quarantined = quarantine.read_bytes().splitlines() if quarantine.exists() else []
    assert counts["read"] == len(known) + len(unknown)
    assert counts["kept"] + counts["malformed"] + counts["empty"] + counts["duplicate"] == counts["read"]
    assert counts["kept"] == len(prepared.frame)
    assert len(quarantined) == counts["read"] - counts["kept"]
    assert set(prepared.frame["label"]) == {0, 1}
    assert list(prepared.frame["label"]) == [int(score >= 1) for score in prepared.frame["score"]]
    assert not prepared.frame.duplicated(["text", "score"]).any()
    assert all(text == text.strip() and text for text in prepared.frame["text"])


@given(st.binary(max_size=300), st.sampled_from(["train.json", "train.csv"]))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_read_or_refused(content, name):
    """Any content is read or refused with a DataError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            prepared = prepare(path)
        except DataError as refusal:
            assert refusal.hint
        else:
            assert prepared.counts["kept"] >= 2
