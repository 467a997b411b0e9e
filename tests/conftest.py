"""What the slower tests share: local clouds driven through the commands that people use, and how a run is arranged."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

import rights
from leftovers import end_processes_in
from local_project import ROOT, LocalProjects
from proven_commands import PROVEN, claims, unfounded
from run_groups import GroupScheduling, is_left_to_another, position_of, tell_its_place

REAL_DATA = Path(os.environ.get("DATA") or ROOT.parent / "shared" / "data" / "helpful-sentences").resolve()
FIGURE = "figure"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the tests of the rights write their page, and those of the pages their pictures."""
    parser.addoption(rights.OPTION, action="store_true", help="write docs/rights.md anew from what was found")
    parser.addoption("--write-pictures", action="store_true", help="take pictures of the API that `make up` started")


def pytest_configure() -> None:
    """Let Ctrl-C through: started in the background by a shell, this process and all its commands would ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave what another test process collects to it."""
    return is_left_to_another(collection_path, config) or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note which commands have their proof, and put the groups that take longest first."""
    config.stash[PROVEN] = claims(items)
    items.sort(key=lambda item: position_of(item.path))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for garbage among what the tests make, not again and again among the modules: they stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadscope` the scope is the group: one test process runs all of it, in order."""
    return GroupScheduling(config, log) if config.getvalue("dist") == "loadscope" else None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Let the test processes share out what is slow to collect."""
    tell_its_place(node)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave no process and no scratch folder behind, however the session ended; `--basetemp` keeps the folder."""
    factory = getattr(session.config, "_tmp_path_factory", None)  # pytest has no public way to it from here
    scratch: Path | None = getattr(factory, "_basetemp", None)
    if scratch is None or hasattr(session.config, "workerinput"):
        return
    end_processes_in(scratch)
    if session.config.option.basetemp is None:
        shutil.rmtree(scratch, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests measured."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    figures = [value for report in reports for name, value in report.user_properties if name == FIGURE]
    if figures:
        terminalreporter.section("figures")
        for figure in figures:
            terminalreporter.line(str(figure))


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Show a figure in the summary of the run."""
    return lambda figure: record_property(FIGURE, figure)


@pytest.fixture(autouse=True)
def proof(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that is marked as the proof of a `make` command which it did not run with success."""
    yield
    missing = unfounded(request.node, request.node.funcargs)
    assert not missing, f"{request.node.name} claims to prove {sorted(missing)}, which it did not run"


@pytest.fixture(scope="session")
def real_data() -> Path | None:
    """The real Helpful Sentences data, in DATA or where a copy lies beside the project; None elsewhere."""
    return REAL_DATA if (REAL_DATA / "train.json").exists() else None


@pytest.fixture(scope="session")
def shared_scratch(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for all test processes of this session."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if hasattr(request.config, "workerinput") else own) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory, shared_scratch: Path) -> Iterator[LocalProjects]:
    """Makes local projects; all are stopped at the end of the session."""
    made = LocalProjects(tmp_path_factory.mktemp, shared_scratch)
    yield made
    made.stop()


@pytest.fixture(scope="session")
def deployed(projects: LocalProjects) -> Path:
    """The state folder of a project whose stacks are deployed, without a model; to be copied."""

    def deploy() -> Any:
        project = projects.new("deployed")
        project.make("deploy")
        return project

    return projects.brought_up_once("deployed", deploy)
