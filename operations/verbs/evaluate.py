"""Measure the deployed model on labelled test sentences."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import bootstrap
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score
from tqdm import tqdm

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

    def interval(statistic: Any) -> list[float]:
        found = bootstrap(
            (truth, predicted),
            statistic,
            paired=True,
            vectorized=False,
            n_resamples=RESAMPLES,
            method="percentile",
            rng=np.random.default_rng(0),
        ).confidence_interval
        return [round(float(found.low), 4), round(float(found.high), 4)]

    def f1(t: np.ndarray, p: np.ndarray) -> float:
        return float(2 * np.sum(t & p) / max(np.sum(t) + np.sum(p), 1))

    return {
        "rows": len(truth),
        "accuracy": round(float(accuracy_score(truth, predicted)), 4),
        "accuracy_95": interval(lambda t, p: np.mean(t == p)),
        "f1": round(float(f1_score(truth, predicted)), 4),
        "f1_95": interval(f1),
        "confusion": confusion_matrix(truth, predicted, labels=[0, 1]).tolist(),
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
