"""The Hugging Face Trainer, with an order of the rows that a resumed training finds again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from transformers import Trainer
from transformers.trainer_pt_utils import LengthGroupedSampler


class ResumableTrainer(Trainer):
    """A Trainer whose batches depend on seed and epoch alone.

    The library draws the order of an epoch from the global random state. That state differs after a resume inside an
    epoch, and between processes, so rows would be seen twice or not at all.
    """

    def _get_train_sampler(self, train_dataset: Any = None) -> torch.utils.data.Sampler[int] | None:
        sampler = super()._get_train_sampler(train_dataset)
        assert isinstance(sampler, LengthGroupedSampler)
        return _SeededOrder(self, sampler)


class _SeededOrder(torch.utils.data.Sampler[int]):
    """The order of `sampler`, drawn from a generator of its own for each epoch."""

    def __init__(self, trainer: Trainer, sampler: LengthGroupedSampler) -> None:
        self._trainer = trainer
        self._sampler = sampler

    def __len__(self) -> int:
        return len(self._sampler)

    def __iter__(self) -> Iterator[int]:
        # From the Trainer's state, because `set_epoch` does not reach the sampler of several processes after a resume.
        epoch = int(self._trainer.state.epoch or 0)
        self._sampler.generator = torch.Generator().manual_seed((self._trainer.args.seed << 16) + epoch)
        return iter(self._sampler)
