"""The final log lines of a run, and the files that it leaves beside the model."""

import json
import logging
import math
import os
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.artifact.package import EVALUATION_FILE, write_json
from classifier.data.layout import MANIFEST
from classifier.report.loss_curve import loss_curve
from classifier.training.callbacks import metrics_line, shown_figures, validation_line
from classifier.training.fit import Fitted

TEST_ROWS_FILE = "test_rows.jsonl"

_log = logging.getLogger(__name__)


def write_report(folder: Path, evaluation: dict[str, Any], manifest: dict[str, Any], runs: list[Fitted]) -> None:
    """Write `evaluation.json`, `loss.svg` and, for `make evaluate`, the data's `manifest.json`."""
    write_json(folder / EVALUATION_FILE, evaluation)
    write_json(folder / MANIFEST, manifest)
    curve = loss_curve([run.history for run in runs])
    (folder / "loss.svg").write_text(curve, encoding="utf-8")


def write_test_rows(folder: Path, test: pd.DataFrame | None) -> Path | None:
    """Write `test_rows.jsonl`: text, label or labels, score and family of each test row, in the order of the data file.

    Whoever judges the model compares its answers with these rows. Unknown values are null. The file is written
    atomically, and deleted where there is no test split.
    """
    path = folder / TEST_ROWS_FILE
    if test is None:
        path.unlink(missing_ok=True)  # remove that of an earlier run
        return None
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            columns = (test[name].tolist() for name in ("text", "label", "score", "family"))
            file.writelines(_line(*row) for row in zip(*columns, strict=True))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _line(text: str, label: int | tuple[int, ...], score: float, family: str) -> str:
    truth = {"labels": list(label)} if isinstance(label, tuple) else {"label": label}
    row = {"text": text, **truth, "score": None if math.isnan(score) else score, "family": family or None}
    # In ASCII, because a text may hold a character that some readers take for a line end (U+2028, U+0085).
    return json.dumps(row) + "\n"


def log_results(evaluation: dict[str, Any]) -> None:
    """Log the final metrics. MetricDefinitions parse these lines: change both together."""
    wanted = shown_figures(evaluation["objective"], len(evaluation["labels"]))
    for prefix, split in (("eval", "validation"), ("test", "test")):
        if evaluation[split]:
            metrics = evaluation[split]
            points = {name: metrics[name]["value"] for name in wanted if name != "pearson"}
            points["pearson"] = metrics["pearson"]
            _log.info("%s", validation_line(points) if split == "validation" else metrics_line(prefix, points))
    int8 = {name: evaluation["int8"][name] for name in (*wanted, "agreement") if name != "pearson"}
    _log.info("%s (%s rows)", metrics_line("int8", int8), evaluation["int8"]["split"])
    if baseline := evaluation["baseline"]:
        figures = baseline[evaluation["int8"]["split"]]
        points = {name: figures[name] for name in ("accuracy", "f1")}
        _log.info("%s (%s)", metrics_line("baseline", points), baseline["name"])
    if student := evaluation.get("student"):
        price = student["difference"]["accuracy"]
        _log.info(
            "student: layers %s; accuracy %+.4f (%+.4f to %+.4f) against %.4f of the full model (%s rows)",
            ", ".join(map(str, student["layers"])),
            price["value"],
            price["low"],
            price["high"],
            student["teacher"]["accuracy"]["value"],
            student["split"],
        )
