"""Fit a model with the Hugging Face Trainer: best epoch by validation loss, checkpoints to resume from."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import (
    DataCollatorWithPadding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)

from classifier.job.hyperparameters import Hyperparameters
from classifier.job.interruption import StopRequest
from classifier.job.processes import Processes
from classifier.training.callbacks import Progress, SeededDraws, StopWhenTold
from classifier.training.checkpoints import last_common
from classifier.training.plan import Plan
from classifier.training.precision import choose_precision

_log = logging.getLogger(__name__)


class _Arguments(TrainingArguments):
    """The Trainer's arguments, with a device that allows several processes on CPUs to read a checkpoint."""

    @property
    def device(self) -> torch.device:
        """The model's device; for a CPU without the process's number, which torch.load does not accept."""
        device = super().device
        return torch.device("cpu") if device.type == "cpu" else device


@dataclass(frozen=True)
class Fitted:
    """The result of one training."""

    model: PreTrainedModel
    """On the CPU in float32, with the weights of the epoch that has the smallest validation loss."""
    history: list[dict[str, float]]
    """The Trainer's log, one dictionary for each logging step or evaluation."""
    precision: str


@dataclass(frozen=True)
class Fitting:
    """What the trainings of one run share.

    `train` and `validation`, which decides about the best epoch, are encoded rows with `labels`. `metrics` turns the
    outputs, (rows, outputs) float, and the targets into accuracy, F1 and Pearson. Each training has a folder in
    `checkpoint_dir`. When `stop` is requested, the training writes a checkpoint and the process ends.
    """

    tokenizer: PreTrainedTokenizerBase
    train: Dataset
    validation: Dataset
    metrics: Callable[[np.ndarray, np.ndarray], dict[str, float | None]]
    checkpoint_dir: Path
    stop: StopRequest
    processes: Processes

    def fit(
        self,
        name: str,
        model: PreTrainedModel,
        hp: Hyperparameters,
        plan: Plan,
        progress: Progress,
        trainer_type: Callable[..., Trainer] = Trainer,
    ) -> Fitted:
        """Train `model` in place, from the last checkpoint of the training `name` if there is one.

        `trainer_type` makes the Trainer, for another loss. Raises JobError: the loss is not finite. Raises SystemExit:
        the job was told to stop.
        """
        folder = self.checkpoint_dir / name
        precision = choose_precision(hp.precision)
        trainer = trainer_type(
            model=model,
            args=_arguments(hp, plan, precision, folder, self.processes.count),
            train_dataset=self.train,
            eval_dataset=self.validation,
            processing_class=self.tokenizer,
            data_collator=DataCollatorWithPadding(self.tokenizer),
            compute_metrics=lambda answered: self.metrics(
                np.asarray(answered.predictions), np.asarray(answered.label_ids)
            ),
            compute_loss_func=weighted_loss(plan),
            callbacks=[progress, SeededDraws(), StopWhenTold(self.stop, hp.checkpoint_minutes)],
        )
        trainer.remove_callback(PrinterCallback)
        checkpoint = last_common(folder, self.processes)
        if checkpoint:
            _log.info("Resuming from checkpoint %s.", checkpoint)
        with self.stop.deferred():
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            trainer.accelerator.wait_for_everyone()  # the others may still read the best epoch's checkpoint
            if self.stop.requested:
                _log.info("Stopped at step %d; checkpoint in %s.", trainer.state.global_step, folder)
        # Without the wrapper that computes in bfloat16: from now on the model answers in float32 on the CPU.
        trained = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
        if self.processes.count > 1:
            # The best epoch's checkpoint is on the main process's disk, which instances do not share.
            for weights in trained.state_dict().values():
                torch.distributed.broadcast(weights, src=0)
        return Fitted(trained.cpu().eval(), trainer.state.log_history, precision)


def weighted_loss(plan: Plan) -> Callable[..., torch.Tensor] | None:
    """Return cross-entropy with the plan's label smoothing and class weights; None if the model's own loss is right."""
    if not plan.label_smoothing and plan.class_weights is None:
        return None
    weights = None if plan.class_weights is None else torch.tensor(plan.class_weights)

    def loss(outputs: Any, labels: torch.Tensor, **_: Any) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(
            outputs["logits"].float(),
            labels,
            weight=None if weights is None else weights.to(labels.device),
            label_smoothing=plan.label_smoothing,
        )

    return loss


def _arguments(hp: Hyperparameters, plan: Plan, precision: str, folder: Path, processes: int) -> TrainingArguments:
    devices = processes if processes > 1 else max(1, torch.cuda.device_count())  # one process may feed several GPUs
    return _Arguments(
        output_dir=str(folder),
        num_train_epochs=plan.epochs,
        learning_rate=plan.learning_rate,
        per_device_train_batch_size=math.ceil(plan.batch_size / devices),
        per_device_eval_batch_size=hp.eval_batch_size,
        warmup_steps=hp.warmup_ratio,  # below 1 it is a share of all steps
        lr_scheduler_type="cosine",
        weight_decay=hp.weight_decay,
        # Batches of similar length: random ones of 32 are half padding, which doubles the time.
        train_sampling_strategy="group_by_length",
        length_column_name="length",
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        seed=plan.seed,
        eval_strategy="epoch",
        save_strategy="epoch",
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",  # varies less between seeds than accuracy
        greater_is_better=False,
        logging_steps=hp.logging_steps,
        average_tokens_across_devices=False,  # our own loss is a mean over rows already
        logging_nan_inf_filter=False,  # the log must show a loss that is not finite
        disable_tqdm=True,
        log_level_replica="passive",  # as quiet in the other processes as in the main one
        report_to=[],
    )
