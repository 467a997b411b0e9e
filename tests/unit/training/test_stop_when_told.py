"""classifier.training.callbacks.StopWhenTold: processes that train together stop after the same step."""

from __future__ import annotations

from pathlib import Path
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
        told.fill_(2 * agreed)

    monkeypatch.setattr(torch.distributed, "all_reduce", vote)
    control = TrainerControl()
    arguments: Any = SimpleNamespace(world_size=2, device=torch.device("cpu"))
    StopWhenTold(stop, minutes=5).on_step_end(arguments, TrainerState(epoch=0.5), control)
    assert (control.should_training_stop, control.should_save) == (agreed, agreed)


@pytest.mark.parametrize(("epoch", "minutes", "saves"), [(0.5, 5, True), (0.5, 20, False), (1.0, 5, False)])
def test_a_checkpoint_is_due_some_minutes_after_the_last_one(
    epoch: float, minutes: float, saves: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ten minutes later there is one, but not where the epoch writes its own; then the minutes count anew."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    arguments: Any = SimpleNamespace(world_size=1, process_index=0, output_dir=str(tmp_path))
    callback, state, control = StopWhenTold(StopRequest(), minutes), TrainerState(epoch=epoch), TrainerControl()
    now[0] += 600
    callback.on_step_end(arguments, state, control)
    assert (control.should_save, control.should_training_stop) == (saves, False)
    (tmp_path / "checkpoint-0").mkdir()
    (tmp_path / "checkpoint-0/trainer_state.json").write_text('{"best_model_checkpoint": null}')
    callback.on_save(arguments, state, control)
    control = TrainerControl()
    now[0] += 240
    callback.on_step_end(arguments, TrainerState(epoch=0.6), control)
    assert not control.should_save
