"""benchmarks/inference.py: what is counted and measured, and what the report says of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import inference
from benchmarks.inference_report import (
    AS_FOUND,
    AS_FUSED,
    DISTILBERT,
    INT8_DIFFERENCE,
    OURS,
    PIPELINE,
    STUDENT,
    STUDENT_DIFFERENCE,
    draw,
    report,
)
from benchmarks.results import TELLING, machine

SCRIPT = Path(inference.__file__)


def test_the_default_model_is_counted_as_it_is_known() -> None:
    """MiniLM-L6 at 17 tokens: 0.364 GFLOP over the whole graph."""
    minilm = SimpleNamespace(num_hidden_layers=6, hidden_size=384, intermediate_size=1536)
    assert inference.operations(minilm, 17) == pytest.approx(0.364e9, rel=2e-3)


def test_every_token_is_multiplied_with_every_weight_and_every_other_token() -> None:
    """Two tokens, one layer, a width of 1: six weights each, and two tokens twice in the attention."""
    tiny = SimpleNamespace(num_hidden_layers=1, hidden_size=1, intermediate_size=1)
    assert inference.operations(tiny, 2) == 2 * 2 * (6 + 2 * 2)


def test_the_machine_is_described_without_its_name() -> None:
    """Processor, cores, the flags that matter, and the system."""
    found = machine()
    assert set(found) == {"cpu", "cores", "flags", "system"} and found["cores"] == os.cpu_count()
    assert set(found["flags"]) <= set(TELLING)


def test_the_fastest_round_counts_and_every_variant_answers_every_text() -> None:
    """Two variants, 60 texts, two rounds: each is asked 120 times, in blocks that take turns."""
    asked: list[tuple[str, int]] = []
    variants = {name: (lambda place, name=name: asked.append((name, place)) or f"{name}{place}") for name in "ab"}
    seconds, labels = inference.take_turns(variants, 60, 2)
    assert labels["b"] == [f"b{place}" for place in range(60)] and len(asked) == 240
    assert [name for name, _ in asked[::10]] == list("aaaaabbbbbab" * 2)
    assert np.isfinite(seconds["a"]).all()


@pytest.fixture
def result() -> Callable[..., dict[str, Any]]:
    """A result in which our answers take `ours` ms and onnxruntime's 2 ms; the peak would take 0.5 ms."""

    def make(ours: float) -> dict[str, Any]:
        figures = {
            DISTILBERT: {"p50_ms": 40.0, "p99_ms": 50.0},
            PIPELINE: {"p50_ms": 10.0, "p99_ms": 20.0, "accuracy": 0.85},
            AS_FOUND: {"p50_ms": 2.0, "p99_ms": 4.0, "network_p50_ms": 1.9, "accuracy": 0.85},
            AS_FUSED: {"p50_ms": 2.5, "p99_ms": 4.0, "network_p50_ms": 2.4, "accuracy": 0.85},
            OURS: {"p50_ms": ours, "p99_ms": 2.0, "network_p50_ms": 0.9 * ours, "accuracy": 0.86},
        }
        return {
            "date": "2026-01-02T03:04:05+00:00",
            "machine": {"cpu": "a cpu", "cores": 2, "flags": ["avx2"], "system": "Linux x86_64"},
            "versions": {"python": "3.11.1"},
            "settings": {"texts": 10, "rounds": 3, "threads": 1, "tokens": 17},
            "peak": 1e12,
            "operations": {OURS: 500_000_000},
            "figures": figures,
            "differences": {INT8_DIFFERENCE: {"value": 0.01, "low": -0.01, "high": 0.03}},
        }

    return make


@pytest.mark.parametrize(
    ("ours", "found"), [(1.0, "50.0% | 25.0% | 20.0% | held"), (2.0, "25.0% | 25.0% | 20.0% | **missed**")]
)
def test_the_report_says_whether_the_goal_was_held(
    result: Callable[..., dict[str, Any]], ours: float, found: str
) -> None:
    """30 % of the peak, counted over the whole graph, beside what onnxruntime's own tools reach in the same run."""
    assert f"≥ 30% | {found} |" in report(result(ours))


def test_every_goal_has_its_row(result: Callable[..., dict[str, Any]]) -> None:
    """DistilBERT's size at 40 ms, the interval's end at the limit itself; without a student nothing is said of one."""
    text = report(result(1.6))
    assert "≤ 1/25 | 1/25.0 | 1/20.0 | 1/16.0 | held |" in text
    assert "≥ -0.010 | -0.0100 | – | – | held |" in text
    assert "student" not in text
    assert "≤ 1/25 | 1/24.8 | 1/20.0 | 1/16.0 | **missed** |" in report(result(1.61))


@pytest.mark.parametrize(
    ("took", "lost", "rows"),
    [
        (0.5, 0.856 - 0.868, ["≤ 0.5 | 0.500 | – | – | held |", "≥ -0.012 | -0.0120 | – | – | held |"]),
        (0.51, -0.013, ["≤ 0.5 | 0.510 | – | – | **missed** |", "≥ -0.012 | -0.0130 | – | – | **missed** |"]),
    ],
)
def test_the_students_goals_are_held_up_to_their_limits(
    result: Callable[..., dict[str, Any]], took: float, lost: float, rows: list[str]
) -> None:
    """Half of the time and 12 of 1,000 answers are still allowed, however a float rounds them."""
    found = result(1.0)
    found["operations"][STUDENT] = 300_000_000
    found["figures"][STUDENT] = {"p50_ms": took, "p99_ms": 1.0, "network_p50_ms": 0.4, "accuracy": 0.85}
    found["differences"][STUDENT_DIFFERENCE] = {"value": lost, "low": -0.03, "high": 0.0}
    text = report(found)
    assert all(row in text for row in rows)


def test_the_report_gives_shares_of_the_peak(result: Callable[..., dict[str, Any]]) -> None:
    """The network of 0.9 ms is at 55.6 % of the peak, the answer at 50 %."""
    text = report(result(1.0))
    assert f"| {OURS} | 55.6% | 50.0% |" in text
    assert f"| {DISTILBERT} | 40.000 | 50.000 | – | 1/1.0 | untrained |" in text


def test_the_chart_is_drawn(result: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """An SVG file."""
    draw(result(1.0), tmp_path / "chart.svg")
    assert (tmp_path / "chart.svg").read_text().lstrip().startswith("<?xml")


@pytest.mark.parametrize("full", [[], ["--full=/nowhere"]])
def test_without_an_artifact_it_says_how_to_train_one(full: list[str], tmp_path: Path) -> None:
    """Before anything is measured."""
    (tmp_path / "test.json").write_text("")
    command = [sys.executable, str(SCRIPT), *full, f"--test={tmp_path / 'test.json'}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and "train one with: python training_job/train.py" in done.stderr
