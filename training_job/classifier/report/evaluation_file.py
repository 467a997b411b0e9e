"""The content of `evaluation.json`: metrics of the float32 and the int8 model, and where they come from."""

import importlib.metadata
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from classifier.data.splits import Splits
from classifier.evaluation.baseline import baseline
from classifier.evaluation.evaluation import as_ids
from classifier.evaluation.figures import compare
from classifier.job.hyperparameters import Hyperparameters
from classifier.model.encoding import encode, model_logits
from classifier.model.objective import truth_of
from classifier.onnx_export.export import agreement, check_agreement, onnx_logits
from classifier.training.recipe import TrainedClassifier

LIBRARIES = (
    *("torch", "transformers", "datasets", "evaluate", "accelerate"),
    *("tokenizers", "onnx", "onnxruntime", "numpy"),
)
"""Libraries whose versions shape the result."""
RECIPE = ("epochs", "learning_rate", "batch_size", "label_smoothing", "class_weights", "reasons")
"""What the file tells of the settled choices (`Plan`)."""


def evaluate(trained: TrainedClassifier, splits: Splits, hp: Hyperparameters, int8_model: Path) -> dict[str, Any]:
    """Run the float32 and the int8 model on the validation and test rows; return the content of `evaluation.json`.

    The metrics of the int8 model, and those that compare two models, are of the test rows, or of the validation rows in
    a run without a test split. Raises JobError: int8 and float32 give different labels on too many validation rows.
    """
    tokenizer, size = trained.tokenizer, hp.eval_batch_size
    encoded, frame, split = trained.encoded_validation, splits.validation, "validation"
    logits = model_logits(trained.model, tokenizer, encoded, size)
    figures = {"validation": trained.figures(logits, frame, chosen_on=True).as_dict()}
    int8_logits = onnx_logits(int8_model, tokenizer, encoded, size)
    validation_agreement = check_agreement(trained.answers(int8_logits), trained.answers(logits))
    if splits.test is not None:
        encoded, frame, split = encode(tokenizer, splits.test["text"].tolist()), splits.test, "test"
        logits = model_logits(trained.model, tokenizer, encoded, size)
        int8_logits = onnx_logits(int8_model, tokenizer, encoded, size)
        figures["test"] = trained.figures(logits, frame).as_dict()
    answers, int8_answers = trained.answers(logits), trained.answers(int8_logits)
    content: dict[str, Any] = {
        "test": figures.get("test"),
        "validation": figures["validation"],
        "int8": {
            **trained.figures(int8_logits, frame).points(),
            "split": split,
            "agreement": agreement(int8_answers, answers),
            "validation_agreement": validation_agreement,
            "difference": _difference(answers, int8_answers, frame, trained),
        },
        "baseline": baseline(splits),
    }
    if trained.teacher is not None:
        full = model_logits(trained.teacher.model, tokenizer, encoded, size)
        content["student"] = {
            "layers": trained.layers,
            "split": split,
            "teacher": trained.teacher.figures(full, frame).as_dict(),
            "difference": _difference(trained.teacher.answers(full), answers, frame, trained),
        }
    if thresholds := trained.reading.get("label_thresholds"):
        content["label_thresholds"] = thresholds
    return {
        **content,
        "data_sha256": splits.data.data_sha256,
        "train_rows": len(splits.train),
        "test_rows": 0 if splits.test is None else len(splits.test),
        "quarantined": splits.data.set_aside,
        "objective": splits.objective,
        "score_threshold": splits.data.score_threshold,
        "recipe": {name: getattr(trained.plan, name) for name in RECIPE},
        "labels": list(splits.data.label_names),
        "hyperparameters": hp.as_dict(),
        "precision": trained.runs[0].precision,
        "processes": trained.processes,
        "train_seconds": round(trained.seconds, 1),
        "versions": _versions(),
    }


def _difference(
    before: np.ndarray, after: np.ndarray, frame: pd.DataFrame, trained: TrainedClassifier
) -> dict[str, dict[str, float]]:
    """Subtract the figures of the answers `before` from those of `after`; paired intervals."""
    labels = len(trained.label_names)
    truth = truth_of(frame, trained.objective, labels)
    answers = map(as_ids, (truth, before, after))
    return asdict(compare(*answers, labels=labels, multilabel=trained.objective == "multilabel"))


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
