"""The figures of a run, for the artifact, the log and whoever decides about a release."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from classifier.data.splits import Splits
from classifier.evaluation.bootstrap import Interval, Joint, difference_intervals
from classifier.evaluation.evaluation import Figures
from classifier.job.hyperparameters import Hyperparameters
from classifier.job.versions import versions
from classifier.model.encoding import encode, model_logits
from classifier.onnx_export.export import check_int8, onnx_logits
from classifier.training.trained_model import TrainedClassifier

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class StudentPrice:
    """The figures of the full model that a student learned from, and how far the student is from them.

    Attributes:
        layers: numbers of the full model's layers that the student has.
        split: whose rows both answered: test, else validation.
        teacher: of the full model, in float32.
        difference: student minus full model, both in float32: accuracy and F1 with paired intervals.
    """

    layers: list[int]
    split: str
    teacher: Figures
    difference: dict[str, Interval]

    def as_dict(self) -> dict[str, Any]:
        """As it stands in ``evaluation.json``."""
        return {
            "layers": self.layers,
            "split": self.split,
            "teacher": self.teacher.as_dict(),
            "difference": {name: interval.as_dict() for name, interval in self.difference.items()},
        }


@dataclass(frozen=True)
class Results:
    """How good a trained classifier is.

    Attributes:
        validation: of the float32 model, on the rows that chose epoch and calibration.
        test: of the float32 model, on rows that chose nothing; None without a test split.
        int8: of the int8 model on the test rows, else on the validation rows.
        int8_split: which of the two.
        agreement: share of those rows on which int8 and float32 give the same label.
        validation_agreement: the same on the validation rows; it decided that the int8 model may be published.
        int8_difference: int8 minus float32 on the rows of ``int8_split``: accuracy and F1 with paired intervals.
        student: what it costs that a smaller model serves; None if the full one does.
    """

    validation: Figures
    test: Figures | None
    int8: Figures
    int8_split: str
    agreement: float
    validation_agreement: float
    int8_difference: dict[str, Interval]
    student: StudentPrice | None

    def as_dict(self, splits: Splits, trained: TrainedClassifier, hp: Hyperparameters) -> dict[str, Any]:
        """The content of ``evaluation.json``."""
        return {
            "test": None if self.test is None else self.test.as_dict(),
            "validation": self.validation.as_dict(),
            "int8": {
                **self.int8.points(),
                "split": self.int8_split,
                "agreement": self.agreement,
                "validation_agreement": self.validation_agreement,
                "difference": {name: interval.as_dict() for name, interval in self.int8_difference.items()},
            },
            **({} if self.student is None else {"student": self.student.as_dict()}),
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
            "versions": versions(),
        }


def evaluate_and_check(trained: TrainedClassifier, splits: Splits, hp: Hyperparameters, int8_model: Path) -> Results:
    """Lets the float32 and the int8 model answer the validation and test rows.

    Args:
        trained: the float32 model.
        splits: the data.
        hp: of the run.
        int8_model: the exported ONNX file.

    Raises:
        QuantizationDisagrees: int8 and float32 give different labels on too many validation rows.
    """
    tokenizer, size = trained.tokenizer, hp.eval_batch_size
    logits = model_logits(trained.model, tokenizer, trained.encoded_validation, size)
    validation = trained.figures(logits, splits.validation, hp)
    quantized = check_int8(int8_model, logits, tokenizer, trained.encoded_validation, size)
    split, frame, encoded, int8_logits = "validation", splits.validation, trained.encoded_validation, quantized.logits
    if splits.test is not None:
        split, frame, encoded = "test", splits.test, encode(tokenizer, splits.test["text"].tolist())
        logits = model_logits(trained.model, tokenizer, encoded, size)
        int8_logits = onnx_logits(int8_model, tokenizer, encoded, size)
    price = None
    if trained.teacher is not None and trained.layers is not None:
        full = model_logits(trained.teacher.model, tokenizer, encoded, size)
        difference = _difference(full, logits, frame, hp)
        price = StudentPrice(trained.layers, split, trained.teacher.figures(full, frame, hp), difference)
    return Results(
        validation=validation,
        test=None if splits.test is None else trained.figures(logits, frame, hp),
        int8=trained.figures(int8_logits, frame, hp),
        int8_split=split,
        agreement=float(np.mean(int8_logits.argmax(axis=1) == logits.argmax(axis=1))),
        validation_agreement=quantized.agreement,
        int8_difference=_difference(logits, int8_logits, frame, hp),
        student=price,
    )


def _difference(before: np.ndarray, after: np.ndarray, frame: pd.DataFrame, hp: Hyperparameters) -> dict[str, Interval]:
    """Accuracy and F1 of ``after`` minus those of ``before``, both logits (rows, 2), with paired intervals."""
    joint = Joint.of(frame["label"].tolist(), before.argmax(axis=1).tolist(), after.argmax(axis=1).tolist())
    return difference_intervals(joint, resamples=hp.bootstrap_resamples, seed=hp.seed)
