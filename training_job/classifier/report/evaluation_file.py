"""The content of `evaluation.json`: metrics of the float32 and the int8 model, and where they come from."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from classifier.data.splits import Splits
from classifier.evaluation.bootstrap import Joint, difference_intervals
from classifier.job.hyperparameters import Hyperparameters
from classifier.model.encoding import encode, model_logits
from classifier.onnx_export.export import check_agreement, onnx_logits
from classifier.training.recipe import TrainedClassifier

if TYPE_CHECKING:
    import pandas as pd

LIBRARIES = (
    *("torch", "transformers", "datasets", "evaluate", "accelerate"),
    *("tokenizers", "onnx", "onnxruntime", "numpy"),
)
"""Libraries whose versions shape the result."""


def evaluate(trained: TrainedClassifier, splits: Splits, hp: Hyperparameters, int8_model: Path) -> dict[str, Any]:
    """Run the float32 and the int8 model on the validation and test rows.

    Args:
        int8_model: the exported ONNX file.

    Returns:
        The content of `evaluation.json`. The metrics of the int8 model, and those that compare two models, are of the
        test rows, or of the validation rows in a run without a test split.

    Raises:
        JobError: int8 and float32 give different labels on too many validation rows.
    """
    tokenizer, size = trained.tokenizer, hp.eval_batch_size
    encoded, frame, split = trained.encoded_validation, splits.validation, "validation"
    logits = model_logits(trained.model, tokenizer, encoded, size)
    validation = trained.figures(logits, frame, hp)
    int8_logits = onnx_logits(int8_model, tokenizer, encoded, size)
    validation_agreement = check_agreement(int8_logits, logits)
    test = None
    if splits.test is not None:
        encoded, frame, split = encode(tokenizer, splits.test["text"].tolist()), splits.test, "test"
        logits = model_logits(trained.model, tokenizer, encoded, size)
        int8_logits = onnx_logits(int8_model, tokenizer, encoded, size)
        test = trained.figures(logits, frame, hp)
    content = {
        "test": test and test.as_dict(),
        "validation": validation.as_dict(),
        "int8": {
            **trained.figures(int8_logits, frame, hp).points(),
            "split": split,
            "agreement": float(np.mean(int8_logits.argmax(axis=1) == logits.argmax(axis=1))),
            "validation_agreement": validation_agreement,
            "difference": _difference(logits, int8_logits, frame, hp),
        },
    }
    if trained.teacher is not None:
        full = model_logits(trained.teacher.model, tokenizer, encoded, size)
        content["student"] = {
            "layers": trained.layers,
            "split": split,
            "teacher": trained.teacher.figures(full, frame, hp).as_dict(),
            "difference": _difference(full, logits, frame, hp),
        }
    return {
        **content,
        "data_sha256": splits.data_sha256,
        "train_rows": len(splits.train),
        "test_rows": 0 if splits.test is None else len(splits.test),
        "quarantined": splits.quarantined,
        "objective": splits.objective,
        "labels": list(splits.label_names),
        "hyperparameters": hp.as_dict(),
        "precision": trained.runs[0].precision,
        "processes": trained.processes,
        "train_seconds": round(trained.seconds, 1),
        "versions": _versions(),
    }


def _difference(
    before: np.ndarray, after: np.ndarray, frame: pd.DataFrame, hp: Hyperparameters
) -> dict[str, dict[str, float]]:
    """Subtract the accuracy and F1 of `before` from those of `after`, both logits (rows, 2); paired intervals."""
    joint = Joint.of(frame["label"].tolist(), before.argmax(axis=1).tolist(), after.argmax(axis=1).tolist())
    intervals = difference_intervals(joint, resamples=hp.bootstrap_resamples, seed=hp.seed)
    return {name: interval.as_dict() for name, interval in intervals.items()}


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
