"""Memory, concurrency and costs of a serverless endpoint, from what was measured."""

from __future__ import annotations

import dataclasses
import tarfile
from pathlib import Path

import pytest

from operations.aws import registry
from operations.errors import OperationError
from operations.sizing.sizes import SIZES_MB, Measured, estimate, recommend
from operations.verbs.model import size_endpoint

SMALL = Measured(peak_mb=200, mean_seconds=0.002, busy_seconds=0.5, slow_seconds=6.0)


def test_every_size_that_sagemaker_offers_is_estimated() -> None:
    """From 1 to 6 GB in steps of one."""
    assert tuple(size.memory_mb for size in estimate(SMALL)) == SIZES_MB == tuple(range(1024, 6145, 1024))


def test_a_size_below_one_vcpu_is_slower_by_its_share() -> None:
    """1024 of 1769 MB is 58 % of a vCPU; from 2048 MB on one computing thread has a whole one and no more."""
    first, *others = estimate(SMALL)
    assert first.vcpu == pytest.approx(1024 / 1769)
    assert first.mean_seconds == pytest.approx(0.002 * 1769 / 1024)
    assert {(size.vcpu, size.mean_seconds, size.slow_seconds) for size in others} == {(1.0, 0.002, 6.0)}


def test_a_million_requests_are_billed_by_started_milliseconds() -> None:
    """2 ms of 2 GB at 0.00002 $ are 0.08 $ a million; 3.46 ms of 1 GB count as 4."""
    first, second, *_ = estimate(SMALL)
    assert second.million_dollars == pytest.approx(0.002 * 2 * 0.00002 * 1e6) == pytest.approx(0.08)
    assert first.million_dollars == pytest.approx(0.004 * 1 * 0.00002 * 1e6)


def test_another_price_changes_the_costs_in_proportion() -> None:
    """Regions differ; the price is an option."""
    dear = estimate(SMALL, price=0.00004)
    assert [size.million_dollars for size in dear] == pytest.approx([2 * s.million_dollars for s in estimate(SMALL)])


@pytest.mark.parametrize(("peak", "memory"), [(600, 1024), (683, 2048), (1365, 2048), (1366, 3072)])
def test_the_peak_and_half_of_it_more_have_to_fit(peak: float, memory: int) -> None:
    """The cheapest size is taken that leaves the margin."""
    advice = recommend(estimate(dataclasses.replace(SMALL, peak_mb=peak)), requests_per_second=1)
    assert advice is not None and advice[0].memory_mb == memory


def test_a_model_too_large_for_any_size_gets_no_advice() -> None:
    """6144 MB less the margin is the end of serverless."""
    assert recommend(estimate(dataclasses.replace(SMALL, peak_mb=4097)), requests_per_second=1) is None


@pytest.mark.parametrize(("load", "at_once"), [(0.1, 1), (10, 18), (10_000, 200)])
def test_concurrency_follows_littles_law(load: float, at_once: int) -> None:
    """Requests a second × seconds each × 2, at least 1 and at most what SageMaker allows."""
    advice = recommend(estimate(SMALL), requests_per_second=load)
    assert advice is not None and advice[1] == at_once


def test_the_report_ends_with_what_to_put_into_cdk_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The block is there to copy, and assumptions and the price's source are said."""
    size_endpoint.report(SMALL, price=0.00002, requests_per_second=10)
    printed = capsys.readouterr().out
    assert '"serving": {"memory_mb": 1024, "max_concurrency": 18}' in printed
    for part in ("Assumed", "1769 MB", "not read from AWS", "2048 MB answer 1.7 times as fast"):
        assert part in printed


def test_no_size_at_all_names_the_way_out() -> None:
    """A smaller model, or instances."""
    with pytest.raises(OperationError) as caught:
        size_endpoint.report(dataclasses.replace(SMALL, peak_mb=5000), price=0.00002, requests_per_second=1)
    assert "5000 MB" in caught.value.message and "instances" in caught.value.hint


def test_requests_go_up_to_the_apis_limits() -> None:
    """From one short sentence to the longest list that the API takes."""
    sizes = [(len(case.texts), case.at_once) for case in size_endpoint.cases([f"sentence {n}" for n in range(100)])]
    assert sizes[0] == (1, 1) and (100, 1) in sizes and (16, 16) in sizes


def test_a_file_that_is_no_archive_is_named(tmp_path: Path) -> None:
    """The message has the path and what is allowed."""
    (tmp_path / "model.tar.gz").write_text("nonsense")
    with pytest.raises(OperationError, match=r"model\.tar\.gz"):
        registry.unpack(tmp_path / "model.tar.gz", tmp_path / "model")


def test_an_archive_is_unpacked(tmp_path: Path) -> None:
    """Its files lie at the root of the folder, as in the container."""
    (tmp_path / "config.json").write_text("{}")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "config.json", "config.json")
    assert (registry.unpack(tmp_path / "model.tar.gz", tmp_path / "model") / "config.json").exists()
