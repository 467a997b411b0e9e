"""What `auto` means for this data and this model: epochs, learning rate, batches, label smoothing, class weights.

Sources: docs/decisions/0007 for a score, docs/decisions/0012 for many classes and several labels.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field

import numpy as np
from transformers import PreTrainedModel

from classifier.data.splits import Splits
from classifier.job.hyperparameters import Hyperparameters
from classifier.model.base_model import weights_without_embeddings

AUTO_EPOCHS = 2
AUTO_STEPS = 100
"""With fewer steps the new head is hardly trained, so small data sets get more epochs. Of two labels; each doubling of
their number asks for as many again."""

MANY_CLASSES = 10
"""From here on a class is learned from few rows, which takes larger steps, and labels smoothed."""
SMOOTHING = 0.1

LARGE_BATCH, LARGE_BATCH_ROWS = 64, 20_000
"""Batches of several labels a text, and from how many rows on: most targets of a row are 0."""

RATES = ((30e6, 1e-4, 3e-4), (150e6, 3e-5, 5e-5), (math.inf, 1e-5, 2e-5))
"""Weights of a model without its embeddings, and its rates for a score or few classes, and for many classes or several
labels. The first line is measured for MiniLM; the others are those usual for the sizes of BERT."""

FEW_ROWS = 20
"""With fewer rows of each of many classes, sentence embeddings teach the classifier. docs/decisions/0015."""
TAUGHT_EPOCHS, TAUGHT_STEPS, TAUGHT_BATCH = 5, 30, 64
"""How the classifier learns from that layer; the rows are repeated until an epoch has so many steps."""

RARE = 5
"""A class is rare if it has fewer rows than this part of an equal share."""
LARGEST_WEIGHT = 10.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The settled choices of one training, with a reason for each that was not given.

    `label_smoothing` is the share of each target that is spread over all classes. `class_weights` are those of the
    losses, by label id. With `contrast` the embeddings of a class are pulled together; `repeats` says how often an
    epoch passes the rows, where there are few a class, else 0 (both: `classifier.training.embeddings`).
    """

    epochs: int
    learning_rate: float
    batch_size: int
    seed: int
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None
    contrast: bool = False
    repeats: int = 0
    reasons: list[str] = field(default_factory=list)

    @classmethod
    def make(cls, hp: Hyperparameters, splits: Splits, model: PreTrainedModel, *, embeds: bool = False) -> Plan:
        """Settle what the hyperparameters, and a base model that `embeds` sentences, leave open; log the reasons."""
        rows, labels, objective = len(splits.train), len(splits.data.label_names), splits.objective
        reasons: list[str] = []
        batch, repeats = hp.train_batch_size, 0
        open_still = {hp.epochs, hp.learning_rate, hp.train_batch_size, hp.label_smoothing} == {"auto"}
        embeds = embeds and objective == "classification" and labels >= MANY_CLASSES
        if embeds and open_still and rows < FEW_ROWS * labels:
            repeats, batch = math.ceil(TAUGHT_STEPS * TAUGHT_BATCH / rows), TAUGHT_BATCH
            reasons.append(
                f"a linear layer on sentence embeddings teaches the classifier ({rows / labels:,.0f} rows a class, "
                f"fewer than {FEW_ROWS}), in epochs of {repeats} passes, batches of {batch}"
            )
        if batch == "auto":
            batch = LARGE_BATCH if objective == "multilabel" and rows >= LARGE_BATCH_ROWS else 32
            reasons.append(f"batches of {batch} ({objective}, {rows:,} rows)")
        epochs = TAUGHT_EPOCHS if repeats else hp.epochs
        if epochs == "auto":
            epochs, reason = auto_epochs(objective, rows, labels, batch)
            reasons.append(f"{epochs} epochs ({reason})")
        rate = hp.learning_rate
        if rate == "auto":
            rate, reason = auto_rate(objective, labels, weights_without_embeddings(model))
            reasons.append(f"learning rate {rate:g} ({reason})")
        smoothing, weights, contrast = 0.0, None, embeds and not repeats
        if contrast:
            reasons.append(f"a second loss pulls sentence embeddings of a class together ({labels} classes)")
        if objective == "classification":
            automatic = SMOOTHING * (labels >= MANY_CLASSES and not repeats)
            smoothing = hp.label_smoothing if hp.label_smoothing != "auto" else automatic
            if smoothing and hp.label_smoothing == "auto":
                reasons.append(f"label smoothing {smoothing:g} ({labels} classes, {rows / labels:,.0f} rows each)")
            counts = np.bincount(splits.train["label"].to_numpy(dtype=int), minlength=labels)
            if hp.class_weights == "sqrt" or (hp.class_weights == "auto" and has_rare(counts)):
                weights = class_weights(counts)
                reasons.append(
                    f"class weights {min(weights):.2f} to {max(weights):.2f} (the rarest class has {counts.min():,} "
                    f"rows, an equal share is {rows / labels:,.0f})"
                )
        for reason in reasons:
            _log.info("recipe: %s", reason)
        return cls(
            epochs=epochs,
            learning_rate=rate,
            batch_size=batch,
            seed=hp.seed,
            label_smoothing=smoothing,
            class_weights=weights,
            contrast=contrast,
            repeats=repeats,
            reasons=reasons,
        )


def auto_epochs(objective: str, rows: int, labels: int, batch: int) -> tuple[int, str]:
    """Return the epochs for so many training rows, and the reason.

    Rows of a class count, because each class is learned from its own; with several labels a text, all rows do.
    """
    steps = math.ceil(rows / batch)
    least = AUTO_EPOCHS
    if objective == "multilabel":
        least = 3 if rows >= LARGE_BATCH_ROWS else 4 if rows >= 5_000 else 6
    elif objective == "classification":
        each = rows / labels
        least = AUTO_EPOCHS if each >= 2_000 else 4 if each >= 500 else 6
    wanted = round(AUTO_STEPS * math.log2(labels))
    epochs = max(least, math.ceil(wanted / steps))
    if epochs > least:
        return epochs, f"{rows:,} rows are {steps} steps, and the head needs about {wanted}"
    if objective == "classification":
        return epochs, f"{rows / labels:,.0f} rows a class"
    return epochs, f"{rows:,} rows; more gained nothing on comparable data"


def auto_rate(objective: str, labels: int, weights: int) -> tuple[float, str]:
    """Return the peak learning rate for a model with so many `weights` outside its embeddings, and the reason."""
    few, many = next(rates for limit, *rates in RATES if weights < limit)
    size = f"a model with {weights / 1e6:.0f} M weights besides its embeddings"
    if objective == "multilabel":
        return many, f"several labels a text, {size}"
    if objective == "classification" and labels >= MANY_CLASSES:
        return many, f"{labels} classes, {size}"
    return few, size


def has_rare(counts: np.ndarray) -> bool:
    """Return whether the smallest of the classes, (classes,) int rows, has far fewer rows than an equal share."""
    return bool(counts.min() * RARE < counts.mean())


def class_weights(counts: np.ndarray) -> tuple[float, ...]:
    """Weigh the classes, (classes,) int rows, by one over the root of their rows; a row weighs 1 on average.

    The root, because whole inverse rows let a handful of texts decide the training.
    """
    weights = np.minimum(np.sqrt(counts.mean() / np.maximum(counts, 1)), LARGEST_WEIGHT)
    return tuple(float(weight) for weight in weights * counts.sum() / (weights * counts).sum())
