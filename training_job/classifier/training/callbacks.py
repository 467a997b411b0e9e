"""Progress lines during training, and stopping on request."""

import logging
import math
import time
from collections.abc import Mapping
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from classifier.errors import JobError
from classifier.job.interruption import StopRequest

_log = logging.getLogger(__name__)


class Progress(TrainerCallback):
    """Log `epoch=1.25 step=120/500 loss=0.1234 eta=95s`, and the validation metrics after each epoch.

    MetricDefinitions parse these lines: change both together.
    """

    def __init__(self, before: int = 0, after: int = 0) -> None:
        """Count epochs and steps over several trainings on the same rows.

        Args:
            before: epochs of the trainings before this one.
            after: epochs of the trainings after this one.
        """
        self._before = before
        self._after = after
        self._started = 0.0
        self._first_step = 0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Start the clock. After a resume, earlier steps do not count for the speed."""
        self._started = time.monotonic()
        self._first_step = state.global_step

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Log a progress line; raise JobError if the loss is not finite."""
        logs = logs or {}
        epoch = self._before + (state.epoch or 0.0)
        if "loss" in logs:
            loss = float(logs["loss"])
            if not math.isfinite(loss):
                raise JobError(
                    f"The training loss is {loss} at step {state.global_step}: the training diverged.",
                    hint="Lower learning_rate, or take precision=fp32.",
                )
            _log.info(
                "epoch=%.2f step=%d/%d loss=%.4f eta=%ds",
                epoch,
                self._steps(self._before, state) + state.global_step,
                self._steps(self._before + self._after, state) + state.max_steps,
                loss,
                self._seconds_left(state),
            )
        elif "eval_accuracy" in logs:
            metrics = {name.removeprefix("eval_"): value for name, value in logs.items()}
            _log.info("epoch=%.2f %s", epoch, metrics_line("eval", metrics))

    def _seconds_left(self, state: TrainerState) -> int:
        done = state.global_step - self._first_step
        per_step = (time.monotonic() - self._started) / max(done, 1)
        return round(per_step * (state.max_steps + self._steps(self._after, state) - state.global_step))

    @staticmethod
    def _steps(epochs: int, state: TrainerState) -> int:
        """Convert epochs to steps; all epochs have as many as those of this training."""
        return round(epochs * state.max_steps / state.num_train_epochs)


class StopWhenTold(TrainerCallback):
    """Write a checkpoint and end the training after the step in which the job was told to stop.

    Several processes stop after the same step, whichever of them was told; otherwise one would wait for the others
    forever.
    """

    def __init__(self, stop: StopRequest) -> None:
        self._stop = stop

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Ask for a checkpoint and the end."""
        if self._told(args):
            control.should_save = True
            control.should_training_stop = True

    def on_epoch_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Skip the evaluation, because there are two minutes at most."""
        if self._told(args):
            control.should_evaluate = False

    def _told(self, args: TrainingArguments) -> bool:
        if args.world_size > 1:
            told = torch.tensor(int(self._stop.requested), device=args.device)
            torch.distributed.all_reduce(told, op=torch.distributed.ReduceOp.MAX)
            # Use the agreed value, not `requested`: the signal may have arrived during the exchange.
            if not told.item():
                return False
            self._stop.requested = True
        return self._stop.requested


FIGURES = ("accuracy", "f1", "macro_f1", "micro_f1", "agreement", "pearson")
"""What a line of figures may hold, in its order."""


def metrics_line(split: str, metrics: Mapping[str, Any]) -> str:
    """Format `eval_accuracy=0.8690 eval_f1=0.9040 eval_pearson=0.8720`; without a score there is no Pearson."""
    return " ".join(f"{split}_{name}={float(metrics[name]):.4f}" for name in FIGURES if metrics.get(name) is not None)


def shown_figures(objective: str, labels: int) -> tuple[str, ...]:
    """Return the figures that say something of their own: with two classes macro F1 is not shown."""
    if objective == "multilabel":
        return ("accuracy", "f1", "macro_f1", "micro_f1")
    return ("accuracy", "f1", "pearson") if labels == 2 else ("accuracy", "f1", "macro_f1")
