"""The figures of a run, for the artifact, the log and whoever decides about a release."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classifier.encoding import encode, model_logits
from classifier.evaluation import Figures
from classifier.export import check_int8, onnx_logits
from classifier.hyperparameters import Hyperparameters
from classifier.splits import Splits
from classifier.trained import TrainedClassifier
from classifier.versions import versions


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
    """

    validation: Figures
    test: Figures | None
    int8: Figures
    int8_split: str
    agreement: float
    validation_agreement: float

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
            },
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
    if splits.test is None:
        int8 = trained.figures(quantized.logits, splits.validation, hp)
        return Results(validation, None, int8, "validation", quantized.agreement, quantized.agreement)
    encoded = encode(tokenizer, splits.test["text"].tolist())
    logits = model_logits(trained.model, tokenizer, encoded, size)
    int8_logits = onnx_logits(int8_model, tokenizer, encoded, size)
    return Results(
        validation=validation,
        test=trained.figures(logits, splits.test, hp),
        int8=trained.figures(int8_logits, splits.test, hp),
        int8_split="test",
        agreement=float(np.mean(int8_logits.argmax(axis=1) == logits.argmax(axis=1))),
        validation_agreement=quantized.agreement,
    )
