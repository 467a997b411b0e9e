"""A test that claims to prove a command has to have run it: the same target, with the same variables."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from proven_commands import unfounded


@pytest.mark.parametrize(
    ("claim", "founded"),
    [
        ("make train", True),
        ("make train HYPERPARAMETERS='epochs=3 seed=1'", True),
        ("make train INPUT='{}'", False),
        ("make up", False),
    ],
)
def test_a_claim_needs_its_command(claim: str, founded: bool) -> None:
    """The values are the test's own; a target that failed, or ran without the variable, proves nothing."""
    test: Any = SimpleNamespace(iter_markers=lambda _: [SimpleNamespace(args=(claim,))])
    project = SimpleNamespace(ran=[("status",), ("train", "HYPERPARAMETERS=epochs=1", "DATA=folder")])
    assert unfounded(test, {"served": SimpleNamespace(project=project)}) == (set() if founded else {claim})
