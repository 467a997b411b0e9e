"""Whatever reads outside input: damaged inputs, a few each time and many at night, and each input that once went wrong.

A target is a module of `tests/support/fuzzing`: good inputs, and what its readers must and must not do with others.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pyarrow
import pytest

from excel_files import zipped
from fuzzing.archives import packed, sparse
from fuzzing.client_answers import ONE
from fuzzing.client_answers import Fuzzed as ClientAnswers
from fuzzing.gate_evidence import ANSWERS, EVALUATION, ROWS
from fuzzing.manifests import Fuzzed as Manifests
from fuzzing.mutation import sealed
from fuzzing.packed_files import as_parquet
from fuzzing.run import ROOT, Target, fuzz, load

TARGETS = {
    "archives": 60,
    "client_answers": 80,
    "data_files": 40,
    "downloads": 60,
    "execution_inputs": 300,
    "gate_evidence": 100,
    "hyperparameters": 200,
    "manifests": 80,
    "packed_files": 60,
    "predict_bodies": 200,
    "server_requests": 150,
}
"""Each target with the number of inputs in a short run, which takes about half a second."""
SECONDS = float(os.environ.get("FUZZ_SECONDS", "600"))
"""Of each target at night."""


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_inputs_do_no_harm(name: str) -> None:
    """Each is read, or refused with the reader's own error; the inputs are the same in every run."""
    found = fuzz(load(name), Random(16), inputs=TARGETS[name])
    assert found.failures == {}
    assert found.inputs == TARGETS[name]


@pytest.mark.nightly(part="fuzz")
def test_ten_minutes_of_damaged_inputs_do_no_harm(tell: Callable[[str], None]) -> None:
    """Each target in a process of its own with a limit on its memory, three at a time; other inputs every time.

    What goes wrong stays in build/fuzz, each with its input.
    """
    folder = ROOT / "build" / "fuzz"
    shutil.rmtree(folder, ignore_errors=True)
    with ThreadPoolExecutor(3) as pool:
        runs = dict(zip(TARGETS, pool.map(lambda name: _long_run(name, folder), TARGETS), strict=True))
    for printed in runs.values():
        tell(printed.stdout.strip().rpartition("\n")[2] or printed.stderr[-300:])
    written = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))]
    assert written == []
    assert {name: run.returncode for name, run in runs.items()} == dict.fromkeys(TARGETS, 0)


def _long_run(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    paths = (".", "training_job", "lambda", "client", "tests/support")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / path) for path in paths)}
    command = [sys.executable, "-m", "fuzzing.run", name, str(SECONDS), str(folder)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS + 120)


class Fragile(Target):
    """Lets an error out for some inputs, and never ends for others."""

    def check(self, data: bytes) -> None:
        assert b"\xff" not in data
        while b"\x00" in data:
            pass


def test_what_goes_wrong_is_found_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error and a hang, each with the input that shows it; the run goes on."""
    monkeypatch.setattr("fuzzing.run.SECONDS_PER_INPUT", 0.05)
    found = fuzz(Fragile([b"good", b"\xff", b"\x00"]), Random(1), inputs=60)
    kinds = {kind.split()[0]: data for kind, (data, _) in found.failures.items()}
    assert kinds.keys() == {"AssertionError", "TooSlowError"}
    assert b"\xff" in kinds["AssertionError"] and b"\x00" in kinds["TooSlowError"]
    assert found.inputs == 60


def _evaluation(**changes: Any) -> bytes:
    return json.dumps({**EVALUATION, **changes}).encode()


def _tar(name: str, size: bytes) -> bytes:
    """An archive whose first member is said to have another size."""
    content = bytearray(gzip.decompress(packed(tarfile.USTAR_FORMAT)))
    content[:100], content[124:136] = name.encode().ljust(100, b"\0"), size
    content[:512] = sealed(content[:512])
    return gzip.compress(bytes(content), mtime=0)


def _sparse_tar(size: bytes) -> bytes:
    """A sparse member that is said to take more of the archive than there is."""
    content = bytearray(gzip.decompress(sparse()))
    at = next(at for at in range(512, len(content), 512) if content[at : at + 11] == b"config.json")
    content[at + 124 : at + 136] = size
    content[at : at + 512] = sealed(content[at : at + 512])
    return gzip.compress(bytes(content), mtime=0)


def _manifest(**changes: Any) -> bytes:
    return json.dumps({**json.loads(Manifests().seeds[0]), **changes}).encode()


def _parquet() -> bytes:
    """A column of text that holds bytes which are none."""
    column = pyarrow.Array.from_buffers(
        pyarrow.string(), 1, [None, pyarrow.py_buffer(b"\0\0\0\0\2\0\0\0"), pyarrow.py_buffer(b"\xe2\x28")]
    )
    return as_parquet(pyarrow.table({"text": column, "label": ["a"]}))


CLASSES = {"names": ["bad", "good"], "_type": "ClassLabel"}


def _named(features: dict[str, Any]) -> bytes:
    """Labels as numbers, with names for them in the metadata."""
    table = pyarrow.table({"text": ["a", "b"], "label": [0, 1]})
    return as_parquet(table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})}))


def _split(columns: list[Any], *rows: Any) -> bytes:
    """JSON as pandas writes it with `orient="split"`."""
    return json.dumps({"columns": columns, "data": [["a text", "a"], ["another", "b"], *rows]}).encode()


DEEP = b"[" * 100_000
FOUND: dict[str, tuple[str, Callable[[], bytes]]] = {
    # The customer's words stood in the execution's failure reason.
    "a broken line of test rows": ("gate_evidence", lambda: ROWS.encode()[:-20]),
    "a text where a label belongs": ("gate_evidence", lambda: ROWS.replace('"label": 1', '"label": "Zq9"').encode()),
    "a number of 400 digits": ("gate_evidence", lambda: ROWS.replace("0.25", "1" * 400).encode()),
    "an answer of 400 digits": ("gate_evidence", lambda: ANSWERS.replace("0.9", "1" * 400).encode()),
    "thresholds that are no list": ("gate_evidence", lambda: _evaluation(label_thresholds=2)),
    "hyperparameters that are a string": ("gate_evidence", lambda: _evaluation(hyperparameters="a")),
    "an objective that is NaN": ("gate_evidence", lambda: _evaluation(objective=float("nan"))),
    "an accuracy of billions": (
        "gate_evidence",
        lambda: _evaluation(objective="classification", baseline={"test": {"accuracy": 99999999999.7, "f1": 0}}),
    ),
    "a label that is half a surrogate pair": ("gate_evidence", lambda: _evaluation(labels=["\ud800", "good"])),
    "an evaluation that is nested deeply": ("gate_evidence", lambda: DEEP),
    # tarfile would look for the member's end for years.
    "a member of 10^26 bytes": ("archives", lambda: _tar("other", b"\x80" + b"\xff" * 11)),
    "a member of less than nothing": ("archives", lambda: _tar("other", b"\xff" * 10 + b"\xfa\x00")),
    "an archive of two bytes": ("archives", lambda: b"\x1f\x8b"),
    "an archive that ends early": ("archives", lambda: packed(tarfile.GNU_FORMAT)[:100]),
    "a map of holes in words": ("archives", lambda: sparse(**{"GNU.sparse.map": "a,b"})),
    "a member whose holes hide its size": ("archives", lambda: _sparse_tar(b"\x80" + b"\xff" * 11)),
    "a redirect in bytes that are no text": (
        "downloads",
        lambda: b"HTTP/1.1 302 Found\r\nLocation: /\xff\xe2.csv\r\nContent-Length: 0\r\n\r\n",
    ),
    "a status that steers the terminal": ("downloads", lambda: b"HTTP/1.1 404 \x1b[31mNo\r\nContent-Length: 0\r\n\r\n"),
    "hyperparameters nested deeply": ("hyperparameters", lambda: b'{"epochs": ' + DEEP),
    "a value with half a surrogate pair": ("hyperparameters", lambda: b'{"label_names": "percent:\\ud800"}'),
    "a manifest without files": ("manifests", lambda: _manifest(splits={})),
    "a split that is a string": ("manifests", lambda: _manifest(splits={"train": "a"})),
    "a manifest without a source": ("manifests", lambda: _manifest(source=None)),
    "another label set": ("manifests", lambda: _manifest(labels=[1, 2])),
    "a manifest that is nested deeply": ("manifests", lambda: DEEP),
    "a manifest that does not tell how it was read": (
        "manifests",
        lambda: _manifest(source={"files": {}, "columns": {}}),
    ),
    "a column's name that is a number": ("data_files", lambda: _split(["text", 2])),
    "a column's name that is a list": ("data_files", lambda: _split(["text", ["a"]])),
    "a row that is no list": ("data_files", lambda: _split(["text", "label"], 3)),
    "a row of one value more": ("data_files", lambda: _split(["text", "label"], ["a", "b", "c"])),
    "bytes in Parquet that are no text": ("packed_files", _parquet),
    "a name in a zip file that is no text": (
        "packed_files",
        lambda: zipped({"é.csv": b"a"}).replace("é".encode(), b"\xc3\x28"),
    ),
    "the beginning of a zip file in gzip": (
        "packed_files",
        lambda: gzip.compress(zipped({"a.csv": b"a"})[:20], mtime=0),
    ),
    "a column's name that is no text": ("packed_files", lambda: _parquet().replace(b"text", b"te\xe5t")),
    "names for labels of no column": ("packed_files", lambda: _named({"label": CLASSES, "other": CLASSES})),
    "names that are a number": ("packed_files", lambda: _named({"label": {**CLASSES, "names": 2}})),
    "Parquet in gzip, cut": ("packed_files", lambda: zlib.compress(_parquet(), wbits=31)[:-9]),
    **{
        f"a journal with damage ({number})": ("client_answers", lambda number=number: ClientAnswers().seeds[number])
        for number in range(-7, 0)
    },
    "one of several labels that is half a surrogate pair": (
        "client_answers",
        lambda: json.dumps({"predictions": [{**ONE, "labels": ["\ud800"]}], "model": {"version": "3"}}).encode(),
    ),
    "a score of 400 digits": (
        "client_answers",
        lambda: json.dumps({"predictions": [{**ONE, "score": 10**400}], "model": {"version": "3"}}).encode(),
    ),
    "a journal with a broken page": (
        "client_answers",
        lambda: ClientAnswers().seeds[-7][:4096] + b"\xff" * 4096 + ClientAnswers().seeds[-7][8192:],
    ),
}
"""Inputs that once went wrong, or are near to one: the target, and what makes the input."""


@pytest.mark.parametrize("what", FOUND)
def test_an_input_that_went_wrong_does_no_more(what: str) -> None:
    """It is refused with what is wrong, at once."""
    name, make = FOUND[what]
    target = load(name)
    found = fuzz(_Once(target, make()), Random(0), inputs=1)
    assert found.failures == {}
    assert found.slowest < 5


class _Once(Target):
    """Gives one input as it is."""

    def __init__(self, target: Target, data: bytes) -> None:
        super().__init__([b""])
        self._target, self._data = target, data

    def check(self, _: bytes) -> None:
        self._target.check(self._data)
