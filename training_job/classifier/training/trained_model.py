"""A classifier fresh from training: a model with two logits, and how its answers are to be read."""

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
from classifier.model.objective import ScoreScale, loss, targets
from classifier.model.two_logits import calibrate, scores_from_logits, to_two_logits
from classifier.training.averaging import average
from classifier.training.callbacks import Progress
from classifier.training.fit import Fitted, fit
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
        tokenizer: cuts texts off at the run's limit.
        sharpness: ``a`` of the logits ``[0, a * (score - threshold)]``; None for classification.
        threshold: score from which on the label is 1.
        runs: how the trainings went whose weights were averaged.
        seconds: wall time of all trainings in this process.
        encoded_validation: the validation rows as tokens.
        processes: number of processes that trained together.
        teacher: the full model that this one learned from, if it is a student.
        layers: numbers of the teacher's layers that the student has.
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
    splits: Splits,
    base: BaseModel,
    hp: Hyperparameters,
    checkpoint_dir: Path,
    stop: StopRequest,
    processes: Processes | None = None,
) -> TrainedClassifier | None:
    """Trains on the training rows; epoch, averaging and calibration are chosen on the validation rows.

    Args:
        splits: the data.
        base: the model to start from.
        hp: of the run.
        checkpoint_dir: checkpoints of this very run.
        stop: whether the job was told to stop.
        processes: that train together; this one alone if not given.

    Returns:
        The classifier in the main process, None in the others.

    Raises:
        OtherProcessFailed: another process of the training did.
        BaseModelUnavailable: the base model cannot be loaded or used.
        TrainingDiverged: the loss is not a number any more.
    """
    from transformers import set_seed

    processes = processes or Processes()
    started = time.monotonic()
    figures = partial(_figures_in_training, scale=splits.scale, threshold=hp.score_threshold)
    outputs = 1 if splits.objective == "regression" else 2
    runs: list[Fitted] = []
    for run in range(hp.averaged_runs):
        set_seed(hp.seed)  # the same new head for all: weights from different starts cannot be averaged
        with processes.main_first(f"base model {run}"):  # one fetches it from the hub, the others from the cache
            tokenizer, model = load_base_model(base, outputs=outputs, max_length=hp.max_length, dropout=hp.dropout)
        if not runs:
            layers = kept_layers(hp.student_layers, model.config.num_hidden_layers) if hp.student_layers else None
            train, validation = (
                encode(tokenizer, frame["text"].tolist(), targets(frame, splits.objective, splits.scale))
                for frame in (splits.train, splits.validation)
            )
            student_hp = student_hyperparameters(hp, len(train))
            passes = hp.passes(len(train))
            in_all = hp.averaged_runs * passes + (student_hp.passes(len(train)) if layers else 0)
        fitted = fit(
            model,
            tokenizer,
            train=train,
            validation=validation,
            hyperparameters=hp,
            figures=figures,
            checkpoint_dir=checkpoint_dir / f"run-{run}",
            stop=stop,
            run=run,
            processes=processes,
            progress=Progress(before=run * passes, after=in_all - (run + 1) * passes),
        )
        runs.append(fitted)
    model = _best(runs, tokenizer, validation, splits, hp)
    student = None
    if layers is not None:
        _log.info("student: layers %s learn from the trained model", ", ".join(map(str, layers)))
        student = fit(
            cut_layers(model, layers),
            tokenizer,
            train=train,
            validation=validation,
            hyperparameters=student_hp,
            figures=figures,
            checkpoint_dir=checkpoint_dir / "student",
            stop=stop,
            run=hp.averaged_runs,
            processes=processes,
            progress=Progress(before=hp.averaged_runs * passes),
            trainer_type=partial(StudentTrainer, teacher=model, special=tokenizer.all_special_ids),
        )
    processes.leave()
    if not processes.main:
        return None
    by = f" by {processes.count} processes" if processes.count > 1 else ""
    _log.info("trained in %.0f s in %s%s", time.monotonic() - started, runs[0].precision, by)
    seconds = time.monotonic() - started
    model, sharpness = _two_logits(model, tokenizer, validation, splits, hp)
    trained = TrainedClassifier(
        model, tokenizer, sharpness, hp.score_threshold, runs, seconds, validation, processes.count
    )
    if student is None:
        return trained
    model, sharpness = _two_logits(student.model, tokenizer, validation, splits, hp)
    return replace(trained, model=model, sharpness=sharpness, runs=[*runs, student], teacher=trained, layers=layers)


def _best(
    runs: list[Fitted], tokenizer: PreTrainedTokenizerBase, validation: Dataset, splits: Splits, hp: Hyperparameters
) -> PreTrainedModel:
    """The average of all runs, or the best of them where averaging did not work: by validation loss."""
    if len(runs) == 1:
        return runs[0].model
    averaged = average([fitted.model for fitted in runs])
    answers = model_logits(averaged, tokenizer, validation, hp.eval_batch_size)
    averaged_loss = loss(answers, np.asarray(validation["labels"]), splits.objective)
    shown = " ".join(f"{fitted.validation_loss:.4f}" for fitted in runs)
    _log.info("validation: %.4f for the average of %d runs with %s", averaged_loss, len(runs), shown)
    if averaged_loss <= np.mean([fitted.validation_loss for fitted in runs]):
        return averaged
    # Weights that lie too far apart average to a model worse than either; one that is no worse than usual moves less.
    _log.info("The average is worse than its runs are; the best of them is taken instead.")
    return min(runs, key=lambda fitted: fitted.validation_loss).model


def _two_logits(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    validation: Dataset,
    splits: Splits,
    hp: Hyperparameters,
) -> tuple[PreTrainedModel, float | None]:
    """The model with two logits, and the slope that suits the validation rows best; None for classification."""
    scale, threshold = splits.scale, hp.score_threshold
    if scale is None:
        return model, None
    scores = scale.restore(model_logits(model, tokenizer, validation, hp.eval_batch_size)[:, 0])
    sharpness = calibrate(scores, splits.validation["label"].to_numpy(), threshold, scale.unit)
    return to_two_logits(model, scale=scale, sharpness=sharpness, threshold=threshold), sharpness


def _figures_in_training(
    answers: np.ndarray, wanted: np.ndarray, scale: ScoreScale | None, threshold: float
) -> dict[str, float | None]:
    """Accuracy, F1 and Pearson of what the model in training answers.

    Args:
        answers: (rows, 1) standardised scores, or (rows, 2) logits.
        wanted: (rows,) float32 standardised scores, or labels, in the same order.
        scale: the standardisation; None for classification.
        threshold: score from which on the label is 1.
    """
    if scale is None:
        return point_figures(answers.argmax(axis=1), wanted.astype(int))
    # On the standardised scale, where a score that equals the threshold is rounded exactly as the threshold is.
    limit = np.float32(scale.standardise(np.asarray(threshold)))
    answers = answers.reshape(-1)
    return point_figures((answers >= limit).astype(int), (wanted >= limit).astype(int), answers, wanted)
