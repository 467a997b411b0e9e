"""A classifier fresh from training: a model with two logits, and how its answers are to be read."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from classifier.base_model import BaseModel, load_base_model
from classifier.encoding import encode, model_logits
from classifier.evaluation import Figures, evaluate_answers, point_figures
from classifier.hyperparameters import Hyperparameters
from classifier.interruption import StopRequest
from classifier.objective import ScoreScale, targets
from classifier.splits import Splits
from classifier.training import Fitted, fit
from classifier.two_logits import calibrate, scores_from_logits, to_two_logits

if TYPE_CHECKING:
    import pandas as pd
    from datasets import Dataset
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedClassifier:
    """A two-label classifier.

    Attributes:
        model: answers two logits.
        tokenizer: cuts texts off at the run's limit.
        sharpness: ``a`` of the logits ``[0, a * (score - threshold)]``; None for classification.
        threshold: score from which on the label is 1.
        fitted: how training went.
        encoded_validation: the validation rows as tokens.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    sharpness: float | None
    threshold: float
    fitted: Fitted
    encoded_validation: Dataset

    def settings(self) -> dict[str, Any]:
        """What the serving code needs besides the model, for ``config.json``."""
        common = {"max_length": int(self.tokenizer.model_max_length)}
        if self.sharpness is None:
            return {"objective": "classification", **common}
        scores = {"score_scale": self.sharpness, "score_threshold": self.threshold}
        return {"objective": "regression", **common, **scores}

    def scores(self, logits: np.ndarray) -> np.ndarray | None:
        """The scores behind two logits, (rows,) float; None for classification."""
        if self.sharpness is None:
            return None
        return scores_from_logits(logits, sharpness=self.sharpness, threshold=self.threshold)

    def figures(self, logits: np.ndarray, frame: pd.DataFrame, hp: Hyperparameters) -> Figures:
        """How good ``logits``, (rows, 2) float, are as answers to ``frame``."""
        return evaluate_answers(
            logits.argmax(axis=1),
            frame["label"].to_numpy(),
            predicted_scores=self.scores(logits),
            scores=frame["score"].to_numpy(),
            resamples=hp.bootstrap_resamples,
            seed=hp.seed,
        )


def train_classifier(
    splits: Splits, base: BaseModel, hp: Hyperparameters, checkpoint_dir: Path, stop: StopRequest
) -> TrainedClassifier:
    """Trains on the training rows; epoch and calibration are chosen on the validation rows.

    Args:
        splits: the data.
        base: the model to start from.
        hp: of the run.
        checkpoint_dir: checkpoints of this very run.
        stop: whether the job was told to stop.

    Raises:
        BaseModelUnavailable: the base model cannot be loaded or used.
        TrainingDiverged: the loss is not a number any more.
    """
    from transformers import set_seed

    set_seed(hp.seed)  # before the new head is drawn
    outputs = 1 if splits.objective == "regression" else 2
    tokenizer, model = load_base_model(base, outputs=outputs, max_length=hp.max_length, dropout=hp.dropout)
    train, validation = (
        encode(tokenizer, frame["text"].tolist(), targets(frame, splits.objective, splits.scale))
        for frame in (splits.train, splits.validation)
    )
    fitted = fit(
        model,
        tokenizer,
        train=train,
        validation=validation,
        hyperparameters=hp,
        figures=lambda outputs: _figures_in_training(outputs, splits, hp.score_threshold),
        checkpoint_dir=checkpoint_dir,
        stop=stop,
    )
    _log.info("trained in %.0f s with %s; weights of step %d", fitted.seconds, fitted.precision, fitted.best_step)
    if splits.scale is None:
        return TrainedClassifier(fitted.model, tokenizer, None, hp.score_threshold, fitted, validation)
    model, sharpness = _two_logits(fitted, tokenizer, validation, splits, splits.scale, hp)
    return TrainedClassifier(model, tokenizer, sharpness, hp.score_threshold, fitted, validation)


def _two_logits(
    fitted: Fitted,
    tokenizer: PreTrainedTokenizerBase,
    validation: Dataset,
    splits: Splits,
    scale: ScoreScale,
    hp: Hyperparameters,
) -> tuple[PreTrainedModel, float]:
    """The model with two logits, and the slope that suits the validation rows best."""
    # First with slope 1: its logits carry the scores, in float32 rather than in the arithmetic of training.
    plain = to_two_logits(fitted.model, scale=scale, sharpness=1.0, threshold=hp.score_threshold)
    logits = model_logits(plain, tokenizer, validation, hp.eval_batch_size)
    scores = scores_from_logits(logits, sharpness=1.0, threshold=hp.score_threshold)
    sharpness = calibrate(scores, splits.validation["label"].to_numpy(), hp.score_threshold, scale.deviation)
    model = to_two_logits(fitted.model, scale=scale, sharpness=sharpness, threshold=hp.score_threshold)
    return model, sharpness


def _figures_in_training(outputs: np.ndarray, splits: Splits, threshold: float) -> dict[str, float | None]:
    """Accuracy, F1 and Pearson of what the model in training answers to the validation rows."""
    frame = splits.validation
    labels = frame["label"].to_numpy()
    if splits.scale is None:
        return point_figures(outputs.argmax(axis=1), labels)
    scores = splits.scale.restore(outputs.reshape(-1))
    return point_figures((scores >= threshold).astype(int), labels, scores, frame["score"].to_numpy())
