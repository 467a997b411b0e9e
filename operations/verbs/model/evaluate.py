"""Measure the deployed model on labelled test rows."""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from classifier.evaluation.figures import Interval, measure
from operations import paths
from operations.aws import data, training
from operations.aws.deployment import Deployment, connect
from operations.console import Answer, filled, note, say
from operations.errors import OperationError
from operations.verbs.model.training import hyperparameters
from tables import ReadSettings
from text_classifier import Client, Prediction, Refusal

MODEL, OUTPUT = "model.tar.gz", "output.tar.gz"
ROWS, EVALUATION, MANIFEST = "test_rows.jsonl", "evaluation.json", "manifest.json"
OF_A_FILE = {*(of.name for of in fields(ReadSettings)), "test_fraction", "max_lost_share", "positive_label"}
SHOWN = 10  # labels in the text for people; --json has all


@dataclass(frozen=True)
class Known:
    """What the released model's training job left.

    `rows` are its test rows, `text` and `label` or `labels`, none without a test set. `reading` are the hyperparameters
    with which its data was read.
    """

    labels: tuple[str, ...]
    multilabel: bool
    rows: list[dict[str, Any]]
    reading: dict[str, str]


@dataclass(frozen=True)
class Question:
    """Texts with the ids of their true labels."""

    name: str
    texts: list[str]
    truth: list[tuple[int, ...]]


def evaluate(arguments: argparse.Namespace) -> Answer:
    """Measure the deployed model: accuracy and F1 on labelled test rows, counted from answers of the REST API.

    Without DATA these are the test rows of the released model's own training. DATA is another file or folder; it is
    read as the training data was, and must have the model's labels. F1 is that of the second label for two classes,
    else the mean over the labels. The intervals are 95 % intervals. The figures are kept in .local/evaluation.json.
    For example: make evaluate, make evaluate DATA=newer.csv, python -m operations evaluate --minimum-accuracy 0.86
    """
    deployment = connect(arguments.env)
    known = known_of(deployment)
    question = _of_file(arguments.data, known, hyperparameters(arguments.hyperparameter)) if arguments.data else None
    question = question or _of_training(known)
    started = time.monotonic()
    with deployment.api_client() as client:
        say(f"Asking {client.url} about {len(question.texts)} rows of {question.name}")
        answers = ask(client, question.texts)
    given = [_ids(one, known.labels) for one in answers]
    figures = figures_of(question.truth, given, known.labels, multilabel=known.multilabel)
    versions = sorted({str(one.model_version) for one in answers})
    figures |= {"model_versions": versions, "seconds": round(time.monotonic() - started, 2), "data": question.name}
    paths.LOCAL.mkdir(parents=True, exist_ok=True)
    (paths.LOCAL / "evaluation.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    good = figures["accuracy"] >= arguments.minimum_accuracy and (figures["f1"] or 0.0) >= arguments.minimum_f1
    return Answer(figures, _text(figures), exit_code=0 if good else 1)


def ask(client: Client, texts: Sequence[str]) -> list[Prediction]:
    """Return the predictions of the API for `texts`, in order."""
    answers: list[Prediction] = []
    for number, outcome in enumerate(client.score_all(texts), start=1):
        note(f"{number:,} of {len(texts):,} rows")
        if isinstance(outcome, Refusal):
            raise OperationError(f"The API refuses row {number}. {outcome}", hint="take it out of the test file")
        answers.append(outcome)
    return answers


def figures_of(
    truth: Sequence[tuple[int, ...]], given: Sequence[tuple[int, ...]], labels: Sequence[str], *, multilabel: bool
) -> dict[str, Any]:
    """Compute the figures of answers, each with its interval; both arguments are the ids of each row's labels."""
    found = measure(truth, given, labels=len(labels), multilabel=multilabel)
    figures: dict[str, Any] = {"rows": found.rows}
    for name in ("accuracy", "f1", "macro_f1", "micro_f1"):
        interval: Interval = getattr(found, name)
        figures[name] = round(interval.value, 4)
        figures[f"{name}_95"] = [round(interval.low, 4), round(interval.high, 4)]
    figures["classes"] = {
        label: {
            "rows": one.rows,
            **{name: round(getattr(one, name).value, 4) for name in ("precision", "recall", "f1")},
        }
        for label, one in zip(labels, found.classes, strict=True)
    }
    if sum(one["rows"] > 0 for one in figures["classes"].values()) == 1 and not multilabel:
        for one in (figures, *figures["classes"].values()):  # they would be figures of the mix of classes
            one |= {name: None for name in one if name.startswith(("f1", "macro_f1", "precision"))}
    figures["confused"] = [
        {"truth": labels[true], "answer": labels[answer], "rows": rows} for true, answer, rows in found.confused[:20]
    ]
    return figures


def known_of(deployment: Deployment) -> Known:
    """Read what the released model's training job left beside the model; raise OperationError without it."""
    if not deployment.released_package:
        raise OperationError("No model of yours is in service.", hint="make train trains and releases one")
    sagemaker = deployment.client("sagemaker")
    package = sagemaker.describe_model_package(ModelPackageName=deployment.released_package)
    if not (name := package.get("CustomerMetadataProperties", {}).get("training_job")):
        message = f"Model version {deployment.model_version} names no training job: it was registered without the gate."
        raise OperationError(message, hint="start the workflow with its job: make train TRAINING_JOB=name")
    address = sagemaker.describe_training_job(TrainingJobName=name)["ModelArtifacts"]["S3ModelArtifacts"]
    files = training.files_in(deployment, address.removesuffix(MODEL) + OUTPUT, (ROWS, EVALUATION, MANIFEST))
    if EVALUATION not in files:
        raise OperationError(f"Training job {name} left no {OUTPUT} with {EVALUATION}.", hint="make train trains anew")
    evaluation = json.loads(files[EVALUATION])
    source = json.loads(files.get(MANIFEST, b"{}")).get("source", {})
    return Known(
        labels=tuple(evaluation["labels"]),
        multilabel=evaluation["objective"] == "multilabel",
        rows=[json.loads(line) for line in files.get(ROWS, b"").splitlines()],
        reading=_reading(source, evaluation),
    )


def _reading(source: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, str]:
    """Return the hyperparameters that make another file be read as the training data was.

    Encoding, delimiter and the like belong to a file. Names that were given to labels by their position are left out:
    in another file the same position may hold another label.
    """
    columns = source.get("columns", {})
    given = {name: value for name, value in source.get("settings", {}).items() if name not in OF_A_FILE}
    if not columns.get("score") and "=" not in given.get("label_names", "="):
        del given["label_names"]
    label = columns.get("label")
    told = {
        "text_column": columns.get("text"),
        "label_column": ",".join(label) if isinstance(label, list) else label,
        "score_column": columns.get("score"),
        "score_threshold": evaluation.get("score_threshold", 1.0 if evaluation["objective"] == "regression" else None),
    }
    return {name: str(value) for name, value in {**told, **given}.items() if value not in (None, "")}


def _of_training(known: Known) -> Question:
    if not known.rows:
        raise OperationError("The released model has no test rows.", hint="make evaluate DATA=file, with labelled rows")
    truth = [tuple(row["labels"]) if "labels" in row else (int(row["label"]),) for row in known.rows]
    return Question("the released model's test data", [row["text"] for row in known.rows], truth)


def _of_file(place: Path, known: Known, given: dict[str, str]) -> Question:
    """Read another file; its test rows count if it has such, else all rows."""
    if not place.exists():
        raise OperationError(f"There is no file or folder {place}.", hint="make evaluate DATA=file")
    labelled = data.read(place, {**known.reading, **given, "test_fraction": "0"}, one_class=True)
    say("\n".join(labelled.summary()))
    split = "test" if "test" in labelled.splits else "train"
    strange = [name for name in labelled.label_names if name not in known.labels]
    if strange:
        raise OperationError(
            f"{place} has labels that the released model does not know: {', '.join(strange[:SHOWN])}. It knows: "
            f"{', '.join(known.labels[:SHOWN])}{', …' if len(known.labels) > SHOWN else ''}.",
            hint="give a file with the model's labels, name them with "
            "HYPERPARAMETERS='label_names=0=negative,1=positive', or make train DATA=… to train on these",
        )
    ids = [known.labels.index(name) for name in labelled.label_names]
    truth = [tuple(sorted(ids[label] for label in row)) for row in labelled.ids(split)]
    return Question(str(place), [row.text for row in labelled.splits[split]], truth)


def _ids(answer: Prediction, labels: tuple[str, ...]) -> tuple[int, ...]:
    names = (answer.label,) if answer.labels is None else answer.labels
    unknown = [name for name in names if name not in labels]
    if unknown:
        raise OperationError(
            f"The API answers with a label that the released model does not have: {unknown[0]}.",
            hint="another model may be going into service; try again in a minute",
        )
    return tuple(sorted(labels.index(name) for name in names))


def _text(figures: dict[str, Any]) -> str:
    """Write the figures for people: the overall ones, and the labels that are told worst."""
    worst = sorted(figures["classes"].items(), key=lambda item: item[1]["f1"] or 0.0)
    return filled("verbs/model/evaluate.txt.jinja", **figures, figures=figures, worst=worst, shown=SHOWN)
