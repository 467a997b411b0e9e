"""classifier.training.callbacks.StopWhenTold: processes that train together stop after the same step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import TrainerControl, TrainerState

from classifier.job.interruption import StopRequest
from classifier.training.callbacks import StopWhenTold


@pytest.mark.parametrize("agreed", [False, True])
def test_a_process_that_is_told_while_they_agree_stops_with_the_others(
    agreed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM arrives during the exchange: the agreed value counts, or the process would leave the others waiting."""
    stop = StopRequest()

    def vote(told: torch.Tensor, **_: Any) -> None:
        stop.requested = True
        told.fill_(int(agreed))

    monkeypatch.setattr(torch.distributed, "all_reduce", vote)
    control = TrainerControl()
    arguments: Any = SimpleNamespace(world_size=2, device=torch.device("cpu"))
    StopWhenTold(stop).on_step_end(arguments, TrainerState(epoch=0.5), control)
    assert (control.should_training_stop, control.should_save) == (agreed, agreed)
