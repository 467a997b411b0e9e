"""Fitting the model: Hugging Face Trainer, best epoch by validation loss, checkpoints to go on from."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from transformers import DataCollatorWithPadding, PrinterCallback, Trainer, TrainingArguments

from classifier.job.hyperparameters import Hyperparameters
from classifier.job.interruption import StopRequest
from classifier.job.processes import Processes
from classifier.model.precision import choose_precision
from classifier.training.callbacks import Progress, StopWhenTold
from classifier.training.checkpoints import last_common

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_log = logging.getLogger(__name__)


class _Arguments(TrainingArguments):
    """The Trainer's arguments, of which a checkpoint can be read by several processes on processors."""

    @property
    def device(self) -> torch.device:
        """Where the model is; a processor without the process's number, which torch.load does not know as a place."""
        device = super().device
        return torch.device("cpu") if device.type == "cpu" else device


@dataclass(frozen=True)
class Fitted:
    """The outcome of one training.

    Attributes:
        model: in float32, with the weights of the epoch that has the smallest validation loss.
        validation_loss: of that epoch.
        history: the Trainer's log, one dictionary a logging step or evaluation.
        precision: arithmetic it ran in.
    """

    model: PreTrainedModel
    validation_loss: float
    history: list[dict[str, float]]
    precision: str


def fit(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    train: Dataset,
    validation: Dataset,
    hyperparameters: Hyperparameters,
    figures: Callable[[np.ndarray, np.ndarray], dict[str, float | None]],
    checkpoint_dir: Path,
    stop: StopRequest,
    run: int = 0,
    processes: Processes | None = None,
    progress: Progress | None = None,
    trainer_type: Callable[..., Trainer] = Trainer,
) -> Fitted:
    """Trains ``model`` and returns it with the weights of its best epoch.

    Args:
        model: changed in place.
        tokenizer: for padding.
        train: encoded rows with ``labels``.
        validation: the same; decides which epoch is best.
        hyperparameters: of the run.
        figures: from the model's outputs, (rows, outputs) float, and the targets, (rows,), of the validation rows, in
            whichever order they were answered, to accuracy, F1 and Pearson.
        checkpoint_dir: folder of this very run; a complete checkpoint in it is gone on from.
        stop: when it is requested, a checkpoint is written and the process ends.
        run: number of this training, from 0; decides the order of the batches.
        processes: that train together; this one alone if not given.
        progress: prints how far it is; one that counts this training alone if not given.
        trainer_type: makes the Trainer; one with another loss, for example.

    Raises:
        TrainingDiverged: the loss is not a number any more.
        SystemExit: the job was told to stop.
    """
    processes = processes or Processes()
    precision = choose_precision(hyperparameters.precision)
    trainer = trainer_type(
        model=model,
        args=_arguments(hyperparameters, len(train), precision, checkpoint_dir, run, processes.count),
        train_dataset=train,
        eval_dataset=validation,
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=lambda answered: figures(np.asarray(answered.predictions), np.asarray(answered.label_ids)),
        callbacks=[progress or Progress(), StopWhenTold(stop)],
    )
    trainer.remove_callback(PrinterCallback)
    resumed = last_common(checkpoint_dir, processes, run)
    if resumed:
        _log.info("Going on from checkpoint %s.", resumed)
    with stop.deferred():
        trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
        trainer.accelerator.wait_for_everyone()  # the others may still read the best epoch's checkpoint
        if stop.requested:
            _log.info("Stopped at step %d; checkpoint in %s.", trainer.state.global_step, checkpoint_dir)
    # Without the wrapper that computes in bfloat16: from here on the model answers in float32, on the processor.
    trained = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
    return Fitted(
        model=trained.cpu().eval(),
        validation_loss=trainer.state.best_metric if trainer.state.best_metric is not None else math.inf,
        history=trainer.state.log_history,
        precision=precision,
    )


def _arguments(
    hp: Hyperparameters, rows: int, precision: str, checkpoint_dir: Path, run: int, processes: int
) -> TrainingArguments:
    devices = processes if processes > 1 else max(1, torch.cuda.device_count())  # one process may feed several GPUs
    return _Arguments(
        output_dir=str(checkpoint_dir),
        num_train_epochs=hp.passes(rows),
        learning_rate=hp.learning_rate,
        per_device_train_batch_size=math.ceil(hp.train_batch_size / devices),
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
        seed=(hp.seed + run) % 2**32,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",  # moves less from seed to seed than accuracy
        greater_is_better=False,
        logging_steps=hp.logging_steps,
        average_tokens_across_devices=False,  # a loss of our own is a mean over rows already
        logging_nan_inf_filter=False,  # a loss that is no number must be seen
        disable_tqdm=True,
        log_level_replica="passive",  # as quiet in the other processes as in the main one
        report_to=[],
    )
