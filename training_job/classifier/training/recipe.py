"""The training recipe: the full model, a student if wanted, and their calibration into a two-label classifier."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from classifier.data.splits import Splits
from classifier.evaluation.evaluation import Figures, evaluate_answers, point_figures
from classifier.job.hyperparameters import Hyperparameters
from classifier.job.interruption import StopRequest
from classifier.job.processes import Processes
from classifier.model.base_model import BaseModel, load_base_model
from classifier.model.encoding import encode, model_logits
from classifier.model.objective import ScoreScale, targets
from classifier.model.two_logits import calibrate, scores_from_logits, to_two_logits
from classifier.training.callbacks import Progress
from classifier.training.fit import Fitted, Fitting
from classifier.training.student import StudentTrainer, cut_layers, kept_layers, student_hyperparameters

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
        sharpness: `a` of the logits `[0, a * (score - threshold)]`; None for classification.
        threshold: score from which on the label is 1.
        runs: the trainings: the full model's, then the student's if there is one.
        seconds: wall time of all trainings in this process.
        teacher: the full model, if this is a student.
        layers: numbers of the teacher's layers that the student kept.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    sharpness: float | None
    threshold: float
    runs: list[Fitted]
    seconds: float
    encoded_validation: Dataset
    processes: int = 1
    teacher: TrainedClassifier | None = None
    layers: list[int] | None = None

    def serving_config(self) -> dict[str, Any]:
        """Return the keys of `config.json` that the serving code needs besides those of the model."""
        common = {"max_length": int(self.tokenizer.model_max_length)}
        if self.sharpness is None:
            return {"objective": "classification", **common}
        scores = {"score_scale": self.sharpness, "score_threshold": self.threshold}
        return {"objective": "regression", **common, **scores}

    def figures(self, logits: np.ndarray, frame: pd.DataFrame, hp: Hyperparameters) -> Figures:
        """Evaluate `logits`, (rows, 2) float, as answers to `frame`."""
        scores = None
        if self.sharpness is not None:
            scores = scores_from_logits(logits, sharpness=self.sharpness, threshold=self.threshold)
        return evaluate_answers(
            logits.argmax(axis=1),
            frame["label"].to_numpy(),
            predicted_scores=scores,
            scores=frame["score"].to_numpy(),
            resamples=hp.bootstrap_resamples,
            seed=hp.seed,
        )


def train_classifier(
    splits: Splits,
    base: BaseModel,
    hp: Hyperparameters,
    checkpoint_dir: Path,
    stop: StopRequest,
    processes: Processes,
) -> TrainedClassifier | None:
    """Train on the training rows; choose epoch and calibration on the validation rows.

    Args:
        checkpoint_dir: checkpoints of this very run.

    Returns:
        The classifier in the main process, None in the others.

    Raises:
        JobError: the base model cannot be used, the loss is not finite, or another process failed.
    """
    from transformers import set_seed

    started = time.monotonic()
    set_seed(hp.seed)
    with processes.main_first("base model"):  # one fetches it from the hub, the others find it in the cache
        outputs = 1 if splits.objective == "regression" else 2
        tokenizer, model = load_base_model(base, outputs=outputs, max_length=hp.max_length, dropout=hp.dropout)
    layers = kept_layers(hp.student_layers, model.config.num_hidden_layers) if hp.student_layers else None
    train, validation = (
        encode(tokenizer, frame["text"].tolist(), targets(frame, splits.scale))
        for frame in (splits.train, splits.validation)
    )
    metrics = partial(_metrics_in_training, scale=splits.scale, threshold=splits.score_threshold)
    fitting = Fitting(tokenizer, train, validation, metrics, checkpoint_dir, stop, processes)
    epochs, student_hp = hp.epochs_for(len(train)), student_hyperparameters(hp, len(train))
    after = student_hp.epochs_for(len(train)) if layers else 0
    runs = [fitting.fit("full", model, hp, Progress(after=after))]
    if layers is not None:
        _log.info("student: layers %s learn from the trained model", ", ".join(map(str, layers)))
        teacher = runs[0].model
        trainer_type = partial(StudentTrainer, teacher=teacher, special=tokenizer.all_special_ids)
        student = cut_layers(teacher, layers)
        runs.append(fitting.fit("student", student, student_hp, Progress(before=epochs), trainer_type))
    processes.leave()
    if not processes.main:
        return None
    seconds = time.monotonic() - started
    by = f" by {processes.count} processes" if processes.count > 1 else ""
    _log.info("trained in %.0f s in %s%s", seconds, runs[0].precision, by)

    def calibrated(run: Fitted) -> TrainedClassifier:
        model, sharpness = _two_logits(run.model, fitting, splits, hp)
        threshold = splits.score_threshold
        return TrainedClassifier(model, tokenizer, sharpness, threshold, runs, seconds, validation, processes.count)

    full = calibrated(runs[0])
    return full if layers is None else replace(calibrated(runs[1]), teacher=full, layers=layers)


def _two_logits(
    model: PreTrainedModel, fitting: Fitting, splits: Splits, hp: Hyperparameters
) -> tuple[PreTrainedModel, float | None]:
    """Make a model with two logits; also return the best slope on the validation rows, None for classification."""
    scale, threshold = splits.scale, splits.score_threshold
    if scale is None:
        return model, None
    z = model_logits(model, fitting.tokenizer, fitting.validation, hp.eval_batch_size)[:, 0]
    sharpness = calibrate(scale.restore(z), splits.validation["label"].to_numpy(), threshold, scale.unit)
    return to_two_logits(model, scale=scale, sharpness=sharpness, threshold=threshold), sharpness


def _metrics_in_training(
    answers: np.ndarray, wanted: np.ndarray, scale: ScoreScale | None, threshold: float
) -> dict[str, float | None]:
    """Compute accuracy, F1 and Pearson of the model in training.

    Args:
        answers: (rows, 1) standardised scores, or (rows, 2) logits.
        wanted: (rows,) float32 standardised scores, or labels, in the same order.
        scale: None for classification.
        threshold: score from which on the label is 1.
    """
    if scale is None:
        return point_figures(answers.argmax(axis=1), wanted.astype(int))
    # On the standardised scale, where a score equal to the threshold is rounded exactly as the threshold is.
    limit = np.float32(scale.standardise(np.asarray(threshold)))
    answers = answers.reshape(-1)
    return point_figures((answers >= limit).astype(int), (wanted >= limit).astype(int), answers, wanted)
