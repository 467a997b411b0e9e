"""benchmarks/training.py: what its clock counts, and what the report says of a result."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import training
from benchmarks.results import dated, render
from benchmarks.training import ARTICLE, LARGE, OURS, Watch, draw


def steps(watch: Watch, times: list[float], monkeypatch: pytest.MonkeyPatch, measuring: float = 0.0) -> list[bool]:
    """Let steps of 16 rows end at these times, a measurement of accuracy taking `measuring` more; which ended it."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(training.time, "monotonic", lambda: clock.now)
    args: Any = SimpleNamespace(train_batch_size=16)
    control: Any = SimpleNamespace(should_training_stop=False)
    model: Any = SimpleNamespace(train=lambda: setattr(clock, "now", clock.now + measuring))
    watch.on_train_begin(args, SimpleNamespace(global_step=0), control)  # type: ignore[arg-type]
    ended, late = [], 0.0
    for number, moment in enumerate(times, 1):
        clock.now = moment + late
        watch.on_step_end(args, SimpleNamespace(global_step=number, max_steps=99), control, model)  # type: ignore[arg-type]
        late = clock.now - moment
        ended.append(control.should_training_stop)
    return ended


def test_the_clock_stands_still_while_accuracy_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow first steps and measurements change no rate; points bear the seconds of training alone."""
    found = iter([0.7, 0.83, 0.9])
    watch = Watch(20, lambda _: next(found), every=9)
    ended = steps(watch, [5, 10, 12, 14, 16, 18, 20, 22], monkeypatch, measuring=100)
    assert watch.points == [(10, 0.7), (20, 0.83), (22, 0.9)]
    assert watch.rate == 16 / 2
    assert ended == [False] * 6 + [True, True]
    assert watch.seconds_to(0.823) == 20 and watch.seconds_to(0.95) is None


def test_the_report_says_what_held_and_what_did_not(tmp_path: Path) -> None:
    """Goals are judged by the figures; a side that never got there is given the seconds it was watched."""
    curves = {OURS: [(10.0, 0.8), (50.0, 0.83), (200.0, 0.868)], ARTICLE: [(10.0, 0.66), (480.0, 0.81)]}
    result = dated({"torch": "2"}, {"seconds": 20, "rounds": 3, "rows": 18000}) | {
        "rates": {"MiniLM": {ARTICLE: 50.0, OURS: 251.0}, LARGE: {ARTICLE: 20.0, OURS: 80.0}},
        "reached": {OURS: 50.0, ARTICLE: None},
        "curves": curves,
        "article_seconds": 4500.0,
    }
    text = render("training_report.md.jinja", result, article=ARTICLE, ours=OURS, accuracy=0.823, epochs=5)
    assert "| MiniLM | 50.0 | 251.0 | 5.0 |" in text
    assert f"on the same model, {LARGE} | ≥ 5× | 4.0× | **missed** |" in text
    assert "not within 480 | 50 | 1/9.6 |" in text
    assert "| ≤ 1/12 | 1/90.0 of the article's whole run | held |" in text
    draw(result, tmp_path / "curve.svg")
    assert (tmp_path / "curve.svg").stat().st_size > 1000
