"""Measure the deployed model on labelled test sentences."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from classifier.evaluation.bootstrap import confusion, figure_intervals
from operations import paths
from operations.aws import data
from operations.aws.deployment import connect
from operations.console import Answer, say
from operations.errors import OperationError
from text_classifier import Client, Refusal

RESAMPLES = 2_000
HELPFUL_FROM = 1.0  # the article's rule: helpful < 1 is label 0


def measure(truth: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """Compute accuracy and F1 with 95 % bootstrap intervals.

    Args:
        truth: (rows,) int, 1 for helpful.
        predicted: (rows,) int.
    """
    counts = confusion(predicted.tolist(), truth.tolist())
    found = figure_intervals(counts, resamples=RESAMPLES, seed=0)
    accuracy, f1 = found["accuracy"], found["f1"]
    return {
        "rows": counts.rows,
        "accuracy": round(accuracy.value, 4),
        "accuracy_95": [round(accuracy.low, 4), round(accuracy.high, 4)],
        "f1": round(f1.value, 4),
        "f1_95": [round(f1.low, 4), round(f1.high, 4)],
        "confusion": [[counts.rejections, counts.false_alarms], [counts.misses, counts.hits]],
    }


def ask(client: Client, texts: list[str]) -> tuple[list[str], set[str]]:
    """Return the labels that the API gives to `texts`, in order, and the model versions that answered."""
    labels: list[str] = []
    versions: set[str] = set()
    for number, outcome in enumerate(tqdm(client.score_all(texts), total=len(texts), unit=" sentences"), start=1):
        if isinstance(outcome, Refusal):
            raise OperationError(f"The API refuses sentence {number}. {outcome}", hint="take it out of the test file")
        labels.append(outcome.label)
        versions.add(str(outcome.model_version))
    return labels, versions


def evaluate(arguments: argparse.Namespace) -> Answer:
    """Measure the deployed model: accuracy and F1 on labelled test sentences, counted from answers of the REST API.

    Every line of the test file counts, one prediction a line. The intervals are 95 % bootstrap intervals. The figures
    are kept in .local/evaluation.json.
    For example: make evaluate DATA=folder, python -m operations evaluate --minimum-accuracy 0.86 --json
    """
    given: Path = arguments.data or data.BUNDLED
    file = given / "test.json" if given.is_dir() else given
    if not file.is_file():
        raise OperationError(f"There is no test file {file}.", hint="make evaluate DATA=folder, with a test.json in it")
    rows = pd.read_json(file, lines=True, dtype={"sentence": str})
    started = time.monotonic()
    with connect(arguments.env).api_client() as client:
        say(f"Asking {client.url} about {len(rows)} sentences of {file}")
        labels, versions = ask(client, rows["sentence"].tolist())
    figures = measure(
        (rows["helpful"] >= HELPFUL_FROM).to_numpy().astype(int),
        np.array([label == "helpful" for label in labels]).astype(int),
    )
    figures |= {"model_versions": sorted(versions), "seconds": round(time.monotonic() - started, 2), "file": str(file)}
    paths.LOCAL.mkdir(parents=True, exist_ok=True)
    (paths.LOCAL / "evaluation.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    good = figures["accuracy"] >= arguments.minimum_accuracy and figures["f1"] >= arguments.minimum_f1
    return Answer(figures, exit_code=0 if good else 1)
