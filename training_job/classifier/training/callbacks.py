"""What happens during training besides training: progress lines, and stopping when told to."""

from __future__ import annotations

import logging
import math
import time
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from classifier.errors import TrainingDiverged
from classifier.job.interruption import StopRequest

_log = logging.getLogger(__name__)


class Progress(TrainerCallback):
    """Prints ``epoch=1.25 step=120/500 loss=0.1234 eta=95s``, and the validation figures after each epoch.

    The lines are read by MetricDefinitions: change them together with the stack.
    """

    def __init__(self, before: int = 0, after: int = 0) -> None:
        """Counts steps and epochs over several trainings on the same rows.

        Args:
            before: epochs of the trainings before this one.
            after: epochs of those that follow.
        """
        self._before = before
        self._after = after
        self._started = 0.0
        self._first_step = 0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Starts the clock; after a resume the steps already done do not count for the speed."""
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
        """Prints a progress line for a loss, and refuses a loss that is no number.

        Raises:
            TrainingDiverged: the loss is not finite.
        """
        logs = logs or {}
        if "loss" in logs:
            loss = float(logs["loss"])
            if not math.isfinite(loss):
                raise TrainingDiverged(
                    f"The training loss is {loss} at step {state.global_step}: the training diverged.",
                    hint="Lower learning_rate, or take precision=fp32.",
                )
            _log.info(
                "epoch=%.2f step=%d/%d loss=%.4f eta=%ds",
                self._epoch(state),
                self._steps(self._before, state) + state.global_step,
                self._steps(self._before + self._after, state) + state.max_steps,
                loss,
                self._seconds_left(state),
            )
        elif "eval_accuracy" in logs:
            figures = {name.removeprefix("eval_"): value for name, value in logs.items()}
            _log.info("epoch=%.2f %s", self._epoch(state), figures_line("eval", figures))

    def _seconds_left(self, state: TrainerState) -> int:
        done = state.global_step - self._first_step
        per_step = (time.monotonic() - self._started) / max(done, 1)
        return round(per_step * (state.max_steps + self._steps(self._after, state) - state.global_step))

    @staticmethod
    def _steps(epochs: int, state: TrainerState) -> int:
        """Steps of ``epochs`` epochs, which are as long as those of this training."""
        return round(epochs * state.max_steps / state.num_train_epochs)

    def _epoch(self, state: TrainerState) -> float:
        return self._before + (state.epoch or 0.0)


class StopWhenTold(TrainerCallback):
    """Writes a checkpoint and ends the training after the step in which the job was told to stop.

    Several processes stop after the same step, whichever of them was told, or one would wait for the others for ever.
    """

    def __init__(self, stop: StopRequest) -> None:
        self._stop = stop

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Asks for a checkpoint and the end."""
        if self._told(args):
            control.should_save = True
            control.should_training_stop = True

    def on_epoch_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Leaves the evaluation out: there are two minutes at most."""
        if self._told(args):
            control.should_evaluate = False

    def _told(self, args: TrainingArguments) -> bool:
        if args.world_size > 1:
            told = torch.tensor(int(self._stop.requested), device=args.device)
            torch.distributed.all_reduce(told, op=torch.distributed.ReduceOp.MAX)
            # What they agreed on, and not `requested`: the signal may have come to this one while they did.
            if not told.item():
                return False
            self._stop.request()
        return self._stop.requested


def figures_line(split: str, figures: dict[str, Any]) -> str:
    """``eval_accuracy=0.8690 eval_f1=0.9040 eval_pearson=0.8720``; Pearson is left out where there is no score."""
    names = ("accuracy", "f1", "pearson")
    return " ".join(f"{split}_{name}={float(figures[name]):.4f}" for name in names if figures.get(name) is not None)
