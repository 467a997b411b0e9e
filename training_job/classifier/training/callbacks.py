"""Progress lines during training, and stopping on request."""

import logging
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from classifier.errors import JobError
from classifier.job.interruption import StopRequest
from classifier.training.checkpoints import seal, tidy

_STOP = 2  # what a process wants after a step; 1 for a checkpoint, 0 for nothing

_log = logging.getLogger(__name__)


class Progress(TrainerCallback):
    """Log `epoch=1.25 step=120/500 loss=0.1234 eta=95s`, and the validation metrics after each epoch.

    MetricDefinitions parse these lines: change both together.
    """

    def __init__(self, before: int = 0, after: int = 0) -> None:
        """Count over several trainings on the same rows: `before` and `after` are the epochs of the others."""
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
            _log.info("epoch=%.2f %s", epoch, validation_line(metrics))

    def _seconds_left(self, state: TrainerState) -> int:
        done = state.global_step - self._first_step
        per_step = (time.monotonic() - self._started) / max(done, 1)
        return round(per_step * (state.max_steps + self._steps(self._after, state) - state.global_step))

    @staticmethod
    def _steps(epochs: int, state: TrainerState) -> int:
        """Convert epochs to steps; all epochs have as many as those of this training."""
        return round(epochs * state.max_steps / state.num_train_epochs)


class SeededDraws(TrainerCallback):
    """Draw the order of an epoch from seed and epoch, and dropout from seed, step and process; from nothing else.

    So a resumed training goes on as if it had not been stopped, and several processes agree on the order. The Trainer
    takes both from one random state, which it cannot restore for the order of an epoch that was stopped inside.
    """

    def on_epoch_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Seed the order, which is drawn after this."""
        _seed(args.seed, int(state.epoch or 0))

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Seed what the step draws."""
        _seed(args.seed, state.global_step, 1 + args.process_index)


def _seed(*numbers: int) -> None:
    # Mixed into 32 bits, because torch ignores the others on a CPU.
    torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))


class StopWhenTold(TrainerCallback):
    """Write a checkpoint every few minutes, and one after the step in which the job was told to stop, its last.

    Several processes do so after the same step; otherwise one would wait for the others forever.
    """

    def __init__(self, stop: StopRequest, minutes: float) -> None:
        self._stop = stop
        self._seconds = 60 * minutes
        self._saved = time.monotonic()

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Correct the path to the best epoch's checkpoint, which may have come from another folder through S3."""
        if state.best_model_checkpoint:
            state.best_model_checkpoint = str(Path(str(args.output_dir), Path(state.best_model_checkpoint).name))

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Seal the checkpoint and delete old ones. The minutes count from here, after an epoch too."""
        if args.process_index == 0:
            seal(Path(str(args.output_dir), f"checkpoint-{state.global_step}"))
            tidy(Path(str(args.output_dir)))
        self._saved = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Ask for a checkpoint and the end, unless the epoch ends here: it has a checkpoint of its own."""
        wanted = self._agreed(args)
        if wanted and (state.epoch or 0) % 1:
            control.should_save = True
            control.should_training_stop = wanted == _STOP

    def on_epoch_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """End after a whole epoch's evaluation, which decides about the best epoch; evaluate no part of an epoch."""
        control.should_training_stop |= self._agreed(args) == _STOP
        if (state.epoch or 0) % 1:
            control.should_evaluate = control.should_save = False

    def _agreed(self, args: TrainingArguments) -> int:
        """Return what any process wants: nothing, a checkpoint, or a checkpoint and the end."""
        wanted = _STOP if self._stop.requested else int(time.monotonic() - self._saved >= self._seconds)
        if args.world_size > 1:
            most = torch.tensor(wanted, device=args.device)
            torch.distributed.all_reduce(most, op=torch.distributed.ReduceOp.MAX)
            # Use the agreed value, not `requested`: the signal may have arrived during the exchange.
            wanted = int(most.item())
            self._stop.requested |= wanted == _STOP
        return wanted


FIGURES = ("accuracy", "f1", "macro_f1", "micro_f1", "agreement", "pearson", "loss")
"""What a line of figures may hold, in its order."""


def metrics_line(split: str, metrics: Mapping[str, Any]) -> str:
    """Format `eval_accuracy=0.8690 eval_f1=0.9040 eval_pearson=0.8720`; without a score there is no Pearson."""
    return " ".join(f"{split}_{name}={float(metrics[name]):.4f}" for name in FIGURES if metrics.get(name) is not None)


def validation_line(metrics: Mapping[str, Any]) -> str:
    """Format the figures of the validation split, and last the one that a tuning job maximises.

    It is what the gate compares with the champion: the accuracy, for several labels a text the F1.
    """
    name = "accuracy" if metrics.get("micro_f1") is None else "f1"
    return f"{metrics_line('eval', metrics)} tuning_objective={float(metrics[name]):.4f}"


def shown_figures(objective: str, labels: int) -> tuple[str, ...]:
    """Return the figures that say something of their own: with two classes macro F1 is not shown."""
    if objective == "multilabel":
        return ("accuracy", "f1", "macro_f1", "micro_f1")
    return ("accuracy", "f1", "pearson") if labels == 2 else ("accuracy", "f1", "macro_f1")
