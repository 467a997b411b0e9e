"""How tests are shared out: between the fast part and the slow one, and among the test processes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from run_groups import GroupScheduling, is_left_to_another, tell_its_place

TESTS = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("folder", "mark"), [("e2e", "e2e"), ("integration", "integration")])
def test_every_file_outside_the_fast_folders_is_marked_as_slow(folder: str, mark: str) -> None:
    """Each test file is run by one part: `make test-fast` does not collect these folders."""
    files = list((TESTS / folder).glob("test_*.py"))
    lines = {file.name: [line for line in file.read_text().splitlines() if "pytestmark" in line] for file in files}
    assert files and [name for name, found in lines.items() if not any(f"mark.{mark}" in line for line in found)] == []


def collected_by(place: int, count: int, files: list[Path]) -> list[Path]:
    config: Any = SimpleNamespace(workerinput={"place": (place, count)})
    return [file for file in files if not is_left_to_another(file, config)]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_every_test_file_is_collected(count: int) -> None:
    """Whatever the number of test processes, no file is left to another by all of them; torch's by all but one."""
    files = list(TESTS.rglob("test_*.py"))
    shares = [set(collected_by(place, count, files)) for place in range(count)]
    assert len(files) > 200 and set.union(*shares) == set(files)
    assert sum(TESTS / "unit/training/test_plan.py" in share for share in shares) == 1


def test_a_process_in_place_of_a_crashed_one_collects_everything() -> None:
    """It has no place among the others: it may get any group."""
    node: Any = SimpleNamespace(workerinput={"workercount": 2}, config=SimpleNamespace(getvalue=lambda _: "loadscope"))
    for number, place in (("gw1", (1, 2)), ("gw2", None)):
        node.gateway = SimpleNamespace(id=number)
        node.workerinput.pop("place", None)
        tell_its_place(node)
        assert node.workerinput.get("place") == place


class Process:
    """Stands in for a test process; runs what it is sent when told to."""

    def __init__(self, number: int, tests: list[str]) -> None:
        self.gateway = SimpleNamespace(id=f"gw{number}")
        self.tests = tests
        self.waiting: list[int] = []
        self.ran: list[str] = []
        self.shutting_down = False

    def send_runtest_some(self, indices: list[int]) -> None:
        assert not self.shutting_down
        self.waiting += indices

    def shutdown(self) -> None:
        self.shutting_down = True


LIGHT = [f"tests/unit/shared/test_{name}.py::test_{number}" for name in ("a", "b", "c") for number in range(4)]
CDK = [f"tests/infra/test_{name}.py::test_{number}" for name in ("x", "y") for number in range(3)]
TORCH = [f"tests/unit/training/test_plan.py::test_{number}" for number in range(5)]


def scheduling(*processes: Process) -> tuple[GroupScheduling, list[Any]]:
    reported: list[Any] = []

    def pytest_collectreport(report: Any) -> None:
        reported.append(report)

    hook = SimpleNamespace(pytest_collectreport=pytest_collectreport)
    option = SimpleNamespace(loadscopereorder=False)
    values = {"tx": ["popen"] * len(processes), "rsyncdir": [], "px": []}
    config: Any = SimpleNamespace(
        hook=hook, option=option, rootpath=TESTS.parent, getvalue=values.__getitem__, getoption=values.__getitem__
    )
    scheduler = GroupScheduling(config)
    for process in processes:
        scheduler.add_node(process)
    for process in processes:
        scheduler.add_node_collection(process, process.tests)
    scheduler.schedule()
    return scheduler, reported


def work(scheduler: GroupScheduling, *processes: Process) -> None:
    """Run as the processes do: a test starts when its successor is known, or when there will be none."""
    busy = True
    while busy:
        busy = False
        for process in processes:
            if len(process.waiting) > (0 if process.shutting_down else 1):
                index = process.waiting.pop(0)
                process.ran.append(process.tests[index])
                scheduler.mark_test_complete(process, index)
                busy = True


def test_each_test_runs_once_in_a_process_that_collected_it() -> None:
    """Also when a process has nothing to do but what the other one collected too; both are told to end."""
    one, other = Process(0, [*CDK, *LIGHT]), Process(1, [*TORCH, *LIGHT])
    scheduler, _ = scheduling(one, other)
    assert scheduler.collection == [*CDK, *TORCH, *LIGHT]
    work(scheduler, one, other)
    assert sorted([*one.ran, *other.ran]) == sorted([*CDK, *TORCH, *LIGHT])
    assert one.ran[: len(CDK)] == CDK and other.ran[: len(TORCH)] == TORCH
    assert scheduler.tests_finished and one.shutting_down and other.shutting_down


def test_a_process_that_collected_nothing_ends() -> None:
    """All tests are left to the other one: `-n 2 tests/infra`."""
    one, other = Process(0, CDK), Process(1, [])
    scheduler, _ = scheduling(one, other)
    work(scheduler, one, other)
    assert (one.ran, other.ran, other.shutting_down) == (CDK, [], True)


def test_a_replacement_goes_on_with_a_crashed_process_s_tests() -> None:
    """The test that crashed is named; the group's remaining ones are run by the process that collected everything."""
    one, other = Process(0, [*CDK, *LIGHT]), Process(1, [*TORCH, *LIGHT])
    scheduler, _ = scheduling(one, other)
    assert scheduler.remove_node(one) == CDK[0]
    assert scheduler.collection is not None
    new = Process(2, list(scheduler.collection))
    scheduler.add_node(new)
    scheduler.add_node_collection(new, new.tests)
    scheduler.schedule()
    work(scheduler, new, other)
    assert sorted([*new.ran, *other.ran]) == sorted([*CDK, *TORCH, *LIGHT])


def test_different_tests_in_the_same_file_are_reported() -> None:
    """A file whose tests depend on the process is an error, and nothing runs."""
    one, other = Process(0, [*CDK, *LIGHT]), Process(1, [*TORCH, *LIGHT[1:]])
    _, reported = scheduling(one, other)
    assert [report.outcome for report in reported] == ["failed"] and LIGHT[0] in str(reported[0].longrepr)
    assert not one.waiting and not other.waiting
