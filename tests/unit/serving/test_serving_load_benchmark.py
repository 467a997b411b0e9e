"""benchmarks/load.py: its model of queues, and a short run."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.load import MAY_REFUSE, erlang, needed, simulate

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("offered", [2.0, 8.0, 14.0])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_the_loss_of_a_serverless_endpoint_is_erlangs(offered: float, spread: float) -> None:
    """The simulated share of refusals is that of the formula, however the times of service are spread."""
    chance = random.Random(3)
    services = [chance.lognormvariate(-4, spread) for _ in range(2_000)]
    rate = offered / (sum(services) / len(services))
    refused, took = simulate(rate, services, cores=10, places=10)
    assert refused == pytest.approx(dict(erlang(offered))[10], abs=0.01)
    assert max(took) <= max(services) * (1 + 1e-9)  # nobody waits


def test_a_queue_with_one_core_waits_as_the_formula_says() -> None:
    """With constant service and room for everybody the mean wait is that of M/D/1 (Pollaczek and Khinchine)."""
    load = 0.7
    refused, took = simulate(load, [1.0], cores=1, places=10_000)
    assert refused == 0 and sum(took) / len(took) == pytest.approx(1 + load / (2 * (1 - load)), rel=0.05)


def test_the_least_concurrency_that_suffices_is_told() -> None:
    """One place fewer would refuse more than is allowed; a rate above the limit of an endpoint is told as such."""
    places = {(row["rate"], row["memory"]): row["places"] for row in needed([0.05], price=1e-5)}
    assert places[100, 2048] == 14
    assert dict(erlang(5.0))[13] > MAY_REFUSE >= dict(erlang(5.0))[14]
    assert list(needed([10.0], price=1e-5))[-1]["places"] is None


@pytest.mark.integration
@pytest.mark.parametrize("minutes", ["0.08", pytest.param("0.15", marks=pytest.mark.nightly(part="containers"))])
def test_a_short_load_has_no_errors(tiny_artifact: Path, minutes: str) -> None:
    """No error at half of the capacity or beside slow clients; a burst gets 200 or 429; the model is compared."""
    command = [sys.executable, str(ROOT / "benchmarks" / "load.py"), "--artifact", str(tiny_artifact)]
    run = subprocess.run(
        [*command, "--minutes", minutes, "--texts", "100"], capture_output=True, text=True, check=False, timeout=180
    )
    assert "in the burst, where a 429 is none: 0." in run.stdout, run.stdout + run.stderr
    assert "| refused |" in run.stdout and "slope" in run.stdout
