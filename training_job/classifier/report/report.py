"""What a run says at its end, and what it leaves beside the model."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from classifier.artifact.package import EVALUATION_FILE, write_json
from classifier.report.loss_curve import loss_curve
from classifier.report.results import Results
from classifier.training.callbacks import figures_line
from classifier.training.trained_model import TrainedClassifier

_log = logging.getLogger(__name__)


def write_report(folder: Path, evaluation: dict[str, Any], trained: TrainedClassifier) -> None:
    """Writes ``evaluation.json`` and ``loss.svg`` into the output folder."""
    write_json(folder / EVALUATION_FILE, evaluation)
    curve = loss_curve([fitted.history for fitted in trained.runs])
    (folder / "loss.svg").write_text(curve, encoding="utf-8")


def say_results(results: Results) -> None:
    """Prints the final figures; MetricDefinitions read these lines: change them together with the stack."""
    _log.info("%s", figures_line("eval", results.validation.points()))
    if results.test is not None:
        _log.info("%s", figures_line("test", results.test.points()))
    int8 = results.int8
    _log.info(
        "int8_accuracy=%.4f int8_f1=%.4f int8_agreement=%.4f (%s rows)",
        int8.accuracy.value,
        int8.f1.value,
        results.agreement,
        results.int8_split,
    )
    if results.student is not None:
        price = results.student.difference["accuracy"]
        _log.info(
            "student: layers %s; accuracy %+.4f (%+.4f to %+.4f) against %.4f of the full model (%s rows)",
            ", ".join(map(str, results.student.layers)),
            price.value,
            price.low,
            price.high,
            results.student.teacher.accuracy.value,
            results.student.split,
        )
