"""Every workflow with every decision about rights recorded: all is allowed, and what is used is what the page says."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests

import rights
from aws_console import PREFIX, Console
from local_project import BUNDLED_DATA, LocalProject

pytestmark = pytest.mark.e2e
WORKFLOW = {
    "training-workflow": "train",
    "launch": "train",
    "ingest": "train",
    "training": "train",
    "gate-keep": "gate",
    "gate-plan": "gate",
    "gate-judge": "gate",
    "evidence": "gate",
    "release-events": "release",
    "release-workflow": "release",
    "release": "release",
    "smoke-test": "release",
    "model": "release",
    "bulk-workflow": "bulk",
    "bulk": "bulk",
    "predict": "API",
    "drift": "drift",
    "registry": "teardown",
}
"""Role → the workflow it belongs to, where no other one is under way."""


class Seen:
    """What a cloud has decided, by workflow."""

    def __init__(self, project: LocalProject) -> None:
        self.record = project.folder / "cloud" / "decisions.jsonl"
        self.workflows: dict[str, list[rights.Decision]] = defaultdict(list)
        self._read = 0
        self._take("")

    @contextmanager
    def during(self, workflow: str) -> Iterator[None]:
        """Count what is decided meanwhile as this workflow's."""
        self._take("")
        yield
        self._take(workflow)

    def _take(self, workflow: str) -> None:
        found = rights.decisions(self.record, PREFIX)
        for decision in found[self._read :]:
            self.workflows[workflow or WORKFLOW.get(decision.who, "operators")].append(decision)
        self._read = len(found)


def collect(project: LocalProject) -> None:
    """Have the data collected that `make train DATA=…` brings, under other names than the latest."""
    bucket, place = project.outputs("storage")["DataBucket"], "datasets/terminal/rights"
    for name in ("train.json", "test.json"):
        project.client("s3").upload_file(str(BUNDLED_DATA / name), bucket, f"{place}/{name}")
    event = json.dumps({"data_source": f"s3://{bucket}/{place}/", "job_name": "none"})
    answer = project.client("lambda").invoke(FunctionName=f"{PREFIX}-ingest", Payload=event)
    assert "FunctionError" not in answer, answer["Payload"].read()


def test_every_workflow_is_allowed_and_uses_what_the_page_says(
    project: LocalProject, request: pytest.FixtureRequest, tell: Callable[[str], None]
) -> None:
    """Deploy, train, tune, gate, release, API, drift, rollback, teardown: no refusal, and no use that is not noted."""
    seen, console = Seen(project), Console(project)
    console.older()
    with seen.during("train"):
        collect(project)
    with seen.during("tune"):
        console.run({"tune": {"max_jobs": 2, "ranges": {"epochs": [1, 2]}}, "approval": "never"})
    with seen.during("API"):
        assert project.post({"inputs": "A gift for my grandson."}).status_code == 200
        assert requests.get(f"{project.status['api_url']}/v1/model", timeout=40).status_code == 200
    with seen.during("drift"):
        assert "FunctionError" not in project.client("lambda").invoke(FunctionName=f"{PREFIX}-drift")
    with seen.during("rollback"):
        project.make("rollback", "PACKAGE=1")
    with seen.during("teardown"):
        assert project.make("teardown").stdout.count("DELETE_COMPLETE") == 6
    table = rights.parse(rights.PAGE.read_text(encoding="utf-8"))
    if request.config.getoption(rights.OPTION):
        table = rights.noted(table, seen.workflows)
        rights.PAGE.write_text(rights.render(table), encoding="utf-8")
    found = [decision for decisions in seen.workflows.values() for decision in decisions]
    ours = [decision for decision in found if decision.who]
    tell(
        f"{len(found)} decisions, {len(ours)} on {len({one.who for one in ours})} roles, {len(set(ours))} "
        f"different; refused: {sum(not one.allowed for one in found)}"
    )
    used = sum(bool(entry.workflows) for entry in table.values())
    tell(f"{len(table)} rights: {used} used, {len(table) - used} explained; workflows: {', '.join(seen.workflows)}")
    assert rights.compare(table, seen.workflows) == []
