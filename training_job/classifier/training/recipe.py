"""The training recipe: the full model, a student if wanted, and what turns their outputs into calibrated answers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from datasets import Dataset, concatenate_datasets
from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer, set_seed

from classifier.data.splits import Splits
from classifier.evaluation.evaluation import Figures, evaluate_answers, point_figures
from classifier.job.hyperparameters import Hyperparameters
from classifier.job.interruption import StopRequest
from classifier.job.processes import Processes
from classifier.model.base_model import BaseModel, load_base_model
from classifier.model.encoding import encode, model_logits
from classifier.model.heads import best_temperature, cool, start_at_shares
from classifier.model.objective import Objective, ScoreScale, probabilities, targets, truth_of
from classifier.model.thresholds import choose_thresholds, cross_fitted
from classifier.model.two_logits import calibrate, scores_from_logits, to_two_logits
from classifier.onnx_export.export import rehearse_export
from classifier.training.callbacks import Progress
from classifier.training.embeddings import ContrastTrainer, EmbeddingTeacher, can_be_taught
from classifier.training.fit import Fitted, Fitting
from classifier.training.plan import Plan
from classifier.training.student import StudentTrainer, cut_layers, kept_layers, student_plan

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedClassifier:
    """A trained classifier, whose `model` answers a logit for each label, and how its logits are to be read.

    `reading` is what the serving code needs besides the labels: `score_scale` (`a` of the logits
    `[0, a * (score - threshold)]`) and `score_threshold` for a score, `label_thresholds` for several labels. `runs` are
    the full model's training, which `plan` is for, and the student's if there is one; `seconds` is their wall time in
    this process. A student has a `teacher`, the full model, and the numbers of the `layers` of it that it kept.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    objective: Objective
    label_names: tuple[str, ...]
    reading: dict[str, Any]
    plan: Plan
    runs: list[Fitted]
    seconds: float
    encoded_validation: Dataset
    processes: int = 1
    teacher: TrainedClassifier | None = None
    layers: list[int] | None = None

    def serving_config(self) -> dict[str, Any]:
        """Return what the serving code needs besides the model's own configuration."""
        return {"objective": self.objective, "max_length": int(self.tokenizer.model_max_length), **self.reading}

    def answers(self, logits: np.ndarray) -> np.ndarray:
        """Decide from `logits`, (rows, labels) float: (rows,) ids, or (rows, labels) bool for several labels."""
        if self.objective == "multilabel":
            given: np.ndarray = probabilities(logits, self.objective) >= np.array(self.reading["label_thresholds"])
            return given
        ids: np.ndarray = logits.argmax(axis=1)
        return ids

    def figures(self, logits: np.ndarray, frame: pd.DataFrame, *, chosen_on: bool = False) -> Figures:
        """Evaluate `logits`, (rows, labels) float, as answers to `frame`.

        With `chosen_on` these are the rows on which the thresholds of several labels were chosen. So each half is
        decided with the thresholds of the other.
        """
        chances, answers = probabilities(logits, self.objective), self.answers(logits)
        truth, scores = truth_of(frame, self.objective, len(self.label_names)), None
        if chosen_on and self.objective == "multilabel":
            answers = cross_fitted(chances, truth)
        if self.objective == "regression":
            scale, threshold = self.reading["score_scale"], self.reading["score_threshold"]
            scores = scores_from_logits(logits, sharpness=scale, threshold=threshold)
        return evaluate_answers(
            answers,
            truth,
            label_names=self.label_names,
            confidences=chances,
            predicted_scores=scores,
            scores=frame["score"].to_numpy(),
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

    `checkpoint_dir` is for this very run. Returns the classifier in the main process, None in the others. Raises
    JobError: the base model cannot be used, the loss is not finite, or another process failed.
    """
    started = time.monotonic()
    set_seed(hp.seed)
    objective, labels = splits.objective, len(splits.data.label_names)
    with processes.main_first("base model"):  # one fetches it from the hub, the others find it in the cache
        tokenizer, model = load_base_model(
            base,
            outputs=1 if objective == "regression" else labels,
            multilabel=objective == "multilabel",
            max_length=hp.max_length,
            dropout=hp.dropout,
        )
    rehearse_export(model)
    layers = kept_layers(hp.student_layers, model.config.num_hidden_layers) if hp.student_layers else None
    plan = Plan.make(hp, splits, model, embeds=can_be_taught(model, base))
    if objective == "multilabel" and not start_at_shares(model, truth_of(splits.train, objective, labels)):
        _log.info("recipe: the last layer has no bias, so it starts at equal shares of all labels")
    train, validation = (
        encode(tokenizer, frame["text"].tolist(), targets(frame, objective, splits.scale, labels))
        for frame in (splits.train, splits.validation)
    )
    metrics = partial(
        _metrics_in_training,
        objective=objective,
        scale=splits.scale,
        threshold=splits.data.score_threshold,
        labels=labels,
    )
    fitting = Fitting(tokenizer, train, validation, metrics, checkpoint_dir, stop, processes)
    taught = student_plan(plan, larger_steps=objective == "regression")
    trainer_type: Callable[..., Trainer] = ContrastTrainer if plan.contrast else Trainer
    if plan.repeats:
        embedded = EmbeddingTeacher(model)
        embedded.fit(tokenizer, train, plan.class_weights)
        embedded.start(model)
        fitting = replace(fitting, train=concatenate_datasets([train] * plan.repeats))
        trainer_type = partial(StudentTrainer, teacher=embedded, special=tokenizer.all_special_ids)
    progress = Progress(after=taught.epochs if layers else 0)
    runs = [fitting.fit("full", model, hp, plan, progress, trainer_type)]
    if layers is not None:
        _log.info("student: layers %s learn from the trained model", ", ".join(map(str, layers)))
        teacher = runs[0].model
        trainer_type = partial(StudentTrainer, teacher=teacher, special=tokenizer.all_special_ids)
        student = cut_layers(teacher, layers)
        runs.append(fitting.fit("student", student, hp, taught, Progress(before=plan.epochs), trainer_type))
    processes.leave()
    if not processes.main:
        return None
    seconds = time.monotonic() - started
    by = f" by {processes.count} processes" if processes.count > 1 else ""
    _log.info("trained in %.0f s in %s%s", seconds, runs[0].precision, by)

    def calibrated(run: Fitted) -> TrainedClassifier:
        model, reading = _calibrated(run.model, fitting, splits, hp)
        names, count = splits.data.label_names, processes.count
        return TrainedClassifier(
            model, tokenizer, objective, names, reading, plan, runs, seconds, validation, processes=count
        )

    full = calibrated(runs[0])
    return full if layers is None else replace(calibrated(runs[1]), teacher=full, layers=layers)


def _calibrated(
    model: PreTrainedModel, fitting: Fitting, splits: Splits, hp: Hyperparameters
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Make the model that answers, and how its logits are to be read, from its outputs for the validation rows."""
    outputs = model_logits(model, fitting.tokenizer, fitting.validation, hp.eval_batch_size)
    truth = truth_of(splits.validation, splits.objective, len(splits.data.label_names))
    if splits.objective == "multilabel":
        thresholds = choose_thresholds(probabilities(outputs, "multilabel"), truth)
        return model, {"label_thresholds": [round(float(threshold), 4) for threshold in thresholds]}
    if splits.scale is None or splits.data.score_threshold is None:
        cool(model, best_temperature(outputs, truth))
        return model, {}
    scale, threshold = splits.scale, splits.data.score_threshold
    sharpness = calibrate(scale.restore(outputs[:, 0]), truth, threshold, scale.unit)
    two = to_two_logits(model, scale=scale, sharpness=sharpness, threshold=threshold)
    return two, {"score_scale": sharpness, "score_threshold": threshold}


def _metrics_in_training(
    outputs: np.ndarray,
    wanted: np.ndarray,
    *,
    objective: Objective,
    scale: ScoreScale | None,
    threshold: float | None,
    labels: int,
) -> dict[str, float | None]:
    """Compute the figures of the model in training, without intervals.

    `outputs`: (rows, 1) standardised scores, or (rows, labels) logits. `wanted`: standardised scores or ids, (rows,),
    or 0 and 1, (rows, labels). `scale` and `threshold` are None unless a score is learned.
    """
    if objective == "multilabel":
        truth = wanted.astype(bool)
        return point_figures(cross_fitted(probabilities(outputs, objective), truth), truth, labels)
    if scale is None or threshold is None:
        return point_figures(outputs.argmax(axis=1), wanted.astype(int), labels)
    # On the standardised scale, where a score equal to the threshold is rounded exactly as the threshold is.
    limit = np.float32(scale.standardise(np.asarray(threshold)))
    found = outputs.reshape(-1)
    return point_figures((found >= limit).astype(int), (wanted >= limit).astype(int), labels, found, wanted)
