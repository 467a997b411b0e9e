"""Local clouds with a model: trained in this very test session, or copied from one that was."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from aws_console import PREFIX, SENTENCES, Console
from local_project import BUNDLED_DATA, LONGEST_TRAINING_SECONDS, LocalProject, LocalProjects
from run_groups import group_of
from small_model import write_small_model

pytest.register_assert_rewrite("faults")
REDUCED_ROWS = 2_000
"""Real sentences that are trained on in the short form: a tenth. Fewer take more epochs, and as long."""


@dataclass(frozen=True)
class Served:
    """The local cloud after `make up`, and what was seen on the way.

    Attributes:
        project: its make commands, status and clients.
        data: folder with the train.json and test.json that the model was trained on.
        promised: least accuracy and F1 on the test file that this training promises; None: more than the majority.
        before: the API's answer before there was a model.
        interrupted: what the first `make up` printed until Ctrl-C ended it.
        interrupted_code: its exit code.
        up: what the second `make up` printed.
    """

    project: LocalProject
    data: Path
    promised: tuple[float, float] | None
    before: requests.Response
    interrupted: str
    interrupted_code: int
    up: str


@pytest.fixture(scope="session")
def serve(projects: LocalProjects, deployed: Path, real_data: Path | None, reduced: Path) -> Callable[[str], Served]:
    """Return what was trained on the data of this name: `reduced` or `real`."""

    def made(name: str) -> Served:
        if name == "real" and real_data is None:
            pytest.skip("no real data: set DATA to a folder with train.json and test.json of Helpful Sentences")
        data = real_data if name == "real" and real_data else reduced
        promised = None if data == BUNDLED_DATA else {"reduced": (0.82, 0.86), "real": (0.86, 0.895)}[name]
        return _interrupted_and_served(projects, deployed, data, promised)

    return lambda name: projects.keep(name, lambda: made(name))


@pytest.fixture(scope="module", params=["reduced", pytest.param("real", marks=pytest.mark.nightly(part="real-data"))])
def served(request: pytest.FixtureRequest, serve: Callable[[str], Served]) -> Served:
    """Deploy; ask too early; `make up`, Ctrl-C in the middle of the training; `make up` again, to its end.

    Trained on a tenth of the real data, at night on all of it; without the real data on the bundled set.
    """
    return serve(request.param)


@pytest.fixture(scope="session")
def reduced(tmp_path_factory: pytest.TempPathFactory, real_data: Path | None) -> Path:
    """A folder with the first real training sentences and all real test sentences; without them the bundled data."""
    if real_data is None:
        return BUNDLED_DATA
    folder = tmp_path_factory.mktemp("reduced")
    lines = (real_data / "train.json").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "train.json").write_text("".join(lines[:REDUCED_ROWS]), encoding="utf-8")
    (folder / "test.json").write_bytes((real_data / "test.json").read_bytes())
    return folder


def _interrupted_and_served(
    projects: LocalProjects, deployed: Path, data: Path, promised: tuple[float, float] | None
) -> Served:
    project = projects.new("served", copy_of=deployed, DATA=str(data))
    project.start(model=False)
    before = project.post({"inputs": "This was a Christmas gift for my grandson."})

    first = project.popen("up")
    assert first.stdout
    printed = []
    for line in first.stdout:
        printed.append(line)
        if "step=" in line:
            os.killpg(first.pid, signal.SIGINT)
            break
    printed += first.stdout.readlines()
    first.wait(timeout=30)
    second = project.make("up", timeout=LONGEST_TRAINING_SECONDS)
    return Served(project, data, promised, before, "".join(printed), first.returncode, second.stdout)


@pytest.fixture(scope="session")
def bring_up(projects: LocalProjects, deployed: Path, shared_scratch: Path) -> Callable[[str, str], LocalProject]:
    """Return a running project with a model of the bundled data, copied from one that was brought up once.

    Its arguments: the base model, `small` (one layer, trains in seconds) or `default`; the group it is for.
    """

    def made(name: str, state: Path, base: str) -> LocalProject:
        context = f"training.base_model={shared_scratch / base}" if base == "small" else ""
        # A model that does not come up is given up sooner.
        variables = {"DATA": str(BUNDLED_DATA), "CONTEXT": context, "LOCAL_ENDPOINT_START_SECONDS": "20"}
        return projects.new(name, copy_of=state, **variables)

    def first(base: str) -> LocalProject:
        if base == "small":
            write_small_model(shared_scratch / base)
        project = made(f"{base}-first", deployed, base)
        project.make("up", timeout=LONGEST_TRAINING_SECONDS)
        return project

    def copy(base: str) -> LocalProject:
        project = made(base, projects.brought_up_once(base, lambda: first(base)), base)
        project.start()
        return project

    return lambda base, group: projects.keep(f"{base} {group}", lambda: copy(base))


@pytest.fixture(scope="module")
def project(request: pytest.FixtureRequest, bring_up: Callable[[str, str], LocalProject]) -> LocalProject:
    """The running project of this group of tests, with a small model of the bundled data."""
    return bring_up("small", group_of(request.path))


@pytest.fixture(scope="module", params=["small", pytest.param("default", marks=pytest.mark.nightly(part="releases"))])
def console(request: pytest.FixtureRequest, bring_up: Callable[[str, str], LocalProject]) -> Console:
    """The running project of this group, seen as from the AWS console; at night with the default base model."""
    return Console(bring_up(request.param, group_of(request.path)))


@pytest.fixture
def unchanged(console: Console) -> Callable[[], None]:
    """Call it at the end: the same champion gives the same answers as at the beginning."""
    champion, answers = console.champion, console.answers(SENTENCES)

    def check() -> None:
        assert console.champion == champion
        assert console.answers(SENTENCES) == answers
        endpoint = console.sagemaker.describe_endpoint(EndpointName=PREFIX)
        assert endpoint["EndpointStatus"] == "InService"

    return check
