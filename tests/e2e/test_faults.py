"""Faults of every kind while a client asks: what it sees, what recovers and when, and that nothing contradicts it.

Each fault (tests/support/faults) begins with two released versions of different weights and ends when the client is
answered again. `History.violations` then has to find no contradiction: one champion, whose answers are its evidence; no
message against an answer; no approval lost. FAULTS_TABLE names a Markdown file whose table gets the rows of a run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aws_console import Console, number
from faults import cloud, model, releases, training
from history import History, asking
from local_project import LocalProject
from run_groups import group_of
from trial import Fault, Trial, evidence_of, write_table
from waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.nightly(part="releases")]
PER_SECOND = 10.0
PARTS = (model, releases, training, cloud)
FAULTS = [each for part in PARTS for each in vars(part).values() if isinstance(each, Fault)]


@pytest.fixture(scope="module")
def console(request: pytest.FixtureRequest, bring_up: Callable[[str, str], LocalProject]) -> Console:
    """The running project of this group, with two versions of different weights, both released once."""
    found = Console(bring_up("small", group_of(request.path)))
    trial = Trial(found, History(None, evidence_of(found)))
    if not any(map(trial.approved, trial.unlike)):
        trained = {"hyperparameters": {"epochs": "1"}, "approval": "manual"}
        unlike = trial.unlike or [found.run(trained)["model_package_arn"]]
        assert found.release_by_hand(unlike[0])["status"] == "SUCCEEDED"
    return found


@pytest.fixture(scope="module")
def rows() -> Iterator[list[tuple[str, ...]]]:
    """The lines of the table; in the end they are written where FAULTS_TABLE says."""
    found: list[tuple[str, ...]] = []
    yield found
    if wanted := os.environ.get("FAULTS_TABLE"):
        write_table(Path(wanted), found)


def endure(console: Console, fault: Fault) -> Trial:
    """Let something break while a client asks, and wait until it is answered again."""
    history = History(number(console.champion), evidence_of(console))
    trial, texts = Trial(console, history), sorted(history.evidence[history.champion])[:20]
    with asking(console.project.status["api_url"], texts, PER_SECOND) as history.stream:
        history.stream.wait_for_more()
        trial.began = time.time()
        fault.breaks(trial)
        until(lambda: {answer.status for answer in history.stream.answers[-20:]} == {200}, fault.within + 30)
        trial.ask_status()
        trial.ask_releases()
        history.stream.wait_for_more()
    trial.conclude()
    return trial


@pytest.mark.parametrize("fault", FAULTS, ids=[each.breaks.__name__ for each in FAULTS])
def test_fault(console: Console, fault: Fault, rows: list[tuple[str, ...]], tell: Callable[[str], None]) -> None:
    """Callers get nothing but what is listed for it, then answers again; the history has no contradiction."""
    trial = endure(Console(console.project), fault)
    history, row = trial.history, trial.row(fault)
    tell(f"{' | '.join(row)} | {'; '.join(trial.said)[:300]}")
    assert history.violations() == []
    assert set(history.stream.statuses) <= fault.sees, row
    assert history.stream.recovered_after(trial.healed or trial.began) <= fault.within, row
    rows.append(row)
