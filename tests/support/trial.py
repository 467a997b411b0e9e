"""One fault on a local cloud while a client asks: everything that a test does to the cloud, noted in a history."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import requests
import time_machine

from aws_console import PREFIX, Console, number
from history import Change, History, Message, Package, Row, row_of
from local_project import ROOT
from running_server import RunningServer

API_FUNCTION = f"{PREFIX}-predict"
OTHER_CLOCK = """#!{python}
import os, runpy, sys
from datetime import timedelta
from pathlib import Path
sys.path[:0] = ["{root}", "{packages}"]
import time_machine
sys.path.remove("{packages}")
from local.emulator.common.environment import ServerPaths, base_environment
del sys.argv[1:3]  # -m local.server
clean = base_environment(os.environ, ServerPaths(Path(sys.argv[sys.argv.index("--state-dir") + 1])))
os.environ.clear()
os.environ.update(clean)
time_machine.travel(timedelta(minutes={minutes})).start()
runpy.run_module("local.server", run_name="__main__", alter_sys=True)
"""
THROTTLED_JSON = '{"__type": "ThrottlingException", "message": "Rate exceeded"}'
THROTTLED_QUERY = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error>"
    "<RequestId>fault</RequestId></ErrorResponse>"
)


@dataclass(frozen=True)
class Fault:
    """What breaks, and what a caller may notice of it.

    Attributes:
        breaks: breaks something, and mends it where it does not mend itself.
        sees: the statuses that callers may get.
        within: seconds after the mending in which the last request may fail.
        mended: what ended it: `by itself`, or what a person did.
    """

    breaks: Callable[[Trial], None]
    sees: frozenset[int]
    within: float
    mended: str

    @property
    def name(self) -> str:
        """What breaks, in words."""
        return str(self.breaks.__doc__).splitlines()[0].rstrip(".")


BEGIN, END = "<!-- table -->", "<!-- end of table -->"
HEADINGS = ("fault", "statuses", "longest gap", "answers again", "mended")


@dataclass
class Trial:
    """One local cloud with two approved versions, and a fault in it.

    Attributes:
        console: the cloud as a person sees it.
        history: what the client saw, and what was done.
        began: when the fault began, once it did.
        healed: when its cause was gone; 0 where nobody took it away.
        said: how releases ended, and verdicts.
        deleted: versions whose packages somebody deleted.
    """

    console: Console
    history: History
    began: float = field(default_factory=time.time)
    healed: float = 0.0
    said: list[str] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)

    @property
    def champion(self) -> str:
        """ARN of the package that the stack names."""
        return self.console.champion

    @property
    def unlike(self) -> list[str]:
        """ARNs of the judged packages whose answers are not the champion's."""
        evidence = self.history.evidence
        own = evidence[number(self.champion)]
        return [arn for arn in self.packages if evidence.get(number(arn), own) != own]

    @property
    def other(self) -> str:
        """ARN of one of them that is approved."""
        return next(filter(self.approved, self.unlike))

    @property
    def packages(self) -> list[str]:
        """ARNs of all packages."""
        return self.console.left_over()["packages"]

    def approved(self, arn: str) -> bool:
        """Whether a package is approved."""
        return bool(self.console.package(arn)["ModelApprovalStatus"] == "Approved")

    def heal(self) -> None:
        """Note that the cause is gone from now on."""
        self.healed = time.time()

    # What a person does.

    @contextmanager
    def releasing(self, arn: str, *, by_approval: bool = False) -> Iterator[str]:
        """Start the release of a package, and wait for its end when the block is done; gives the execution's ARN."""
        self.history.approved.add(number(arn))
        began, console = time.time(), self.console
        if by_approval:
            known = console.executions("release")
            console.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
            console.approve(arn)
            execution = console.released_by_event(known)
        else:
            execution = console.start({"model_package_arn": arn}, "release")
        yield execution
        self.note_end(execution, arn, began)

    def note_end(self, execution: str, arn: str, began: float) -> dict[str, Any]:
        """Wait for the end of a release, and note it with what it says; its description."""
        ended = self.console.wait(execution, 120)
        succeeded = ended["status"] == "SUCCEEDED"
        champion, now = number(self.champion), time.time()
        self.history.changes.append(Change(began, now, number(arn), 1 if succeeded else 2, champion or None))
        told = json.loads(ended["output"])["outcome"] if succeeded else ended.get("cause", "")
        if told == "released":
            self.history.messages.append(Message(now, now + 1, "the end of the release", number(arn)))
        self.said.append(f"{ended['status']}: {told}")
        return ended

    def release(self, arn: str, *, by_approval: bool = False) -> None:
        """Release a package; it has to succeed."""
        with self.releasing(arn, by_approval=by_approval):
            pass
        assert self.said[-1].startswith("SUCCEEDED") and self.champion == arn, self.said

    def release_in_vain(self, arn: str, why: str, *, by_approval: bool = False) -> None:
        """Release a package; it has to fail with this reason."""
        with self.releasing(arn, by_approval=by_approval):
            pass
        assert self.said[-1].startswith("FAILED") and why in self.said[-1], self.said

    def changing(self, execution: str) -> tuple[float, float]:
        """When a release began to look at the stack for the last time, and when it ended."""
        pages = self.console.workflows.get_paginator("get_execution_history").paginate(executionArn=execution)
        events = [event for page in pages for event in page["events"]]
        entered = (event for event in events if "stateEnteredEventDetails" in event)
        names = {event["stateEnteredEventDetails"]["name"]: event["timestamp"].timestamp() for event in entered}
        return names["Describe champion"], events[-1]["timestamp"].timestamp()

    def ask_status(self, **variables: str) -> str | None:
        """Note what `make status` says; the version that answers."""
        began = time.time()
        told = json.loads(self.console.project.operations("status", "--json", **variables))
        self.history.messages.append(Message(began, time.time(), f"status ({told['model']})", told["model_version"]))
        return told["model_version"]

    def ask_releases(self) -> None:
        """Note what the list of releases says about the model that answers."""
        began = time.time()
        listed = self.console.project.operations("releases")
        said = re.search(r"is released: (?:version (\d+) answers|does not answer)", listed)
        assert said is not None
        self.history.messages.append(Message(began, time.time(), "releases", said[1]))

    # What breaks.

    def processes(self, *, function: str = "") -> list[psutil.Process]:
        """The processes of the endpoint's model, or of a Lambda function."""
        folder, found = str(self.console.project.folder), []
        for process in psutil.process_iter():
            try:
                environment, command = process.environ(), " ".join(process.cmdline())
            except psutil.Error:
                continue
            if folder not in environment.get("HOME", "") or "child_guard" in command:
                continue
            if function and environment.get("AWS_LAMBDA_FUNCTION_NAME") == function:
                found.append(process)
            if not function and "/homes/" in environment["HOME"] and "SM_MODEL_DIR" in environment:
                found.append(process)
        assert found, f"no process of {function or 'the model'} runs"
        return found

    def server(self) -> psutil.Process:
        """The local cloud's process."""
        return psutil.Process(int((self.console.project.folder / "server.pid").read_text().split()[0]))

    def start(self, **options: str) -> None:
        """Start the local cloud again after a kill; the options are those of `LocalProject.start`."""
        self.console.project.start(model=False, **options)
        self.console = Console(self.console.project)

    @contextmanager
    def without(self, uri: str, content: bytes | None = None) -> Iterator[None]:
        """While the block runs an object is gone, or has other content; then its bytes are back."""
        kept = self.console.read(uri)
        self.console.overwrite(uri, content)
        try:
            yield
        finally:
            self.console.overwrite(uri, kept)

    @contextmanager
    def throttled(self) -> Iterator[dict[str, str]]:
        """While the block runs, commands with these variables have every other call refused with `Rate exceeded`."""
        project = self.console.project
        folder = project.folder.parent / "throttled"
        access = json.loads((project.folder / "cloud" / "credentials.json").read_text())
        with ThrottlingServer(access["endpoint_url"]) as server:
            file = folder / "cloud" / "credentials.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({**access, "endpoint_url": server.url}))
            yield {"LOCAL_DIR": str(folder)}
            assert server.refused > 2, "nothing was throttled"

    def other_clock(self, minutes: int) -> Path:
        """A Python for the local cloud whose clock is off."""
        python = ROOT / ".venv-cloud" / "bin" / "python"
        packages = Path(time_machine.__file__).parents[1]  # for this one: the local cloud has no such package
        file = self.console.project.folder.parent / "python"
        file.write_text(OTHER_CLOCK.format(python=python, root=ROOT, packages=packages, minutes=minutes))
        file.chmod(0o700)
        return file

    # What is to be seen afterwards.

    def conclude(self) -> None:
        """Note what is known in the end about each approved package."""
        last = self.ends_of_releases()
        self.history.packages.update({version: Package("", "", "somebody deleted it") for version in self.deleted})
        for arn in self.packages:
            package = self.console.package(arn)
            noted = package.get("CustomerMetadataProperties", {})
            status, reason = package["ModelApprovalStatus"], noted.get("release_reason", "none").removeprefix("none")
            if status == "Rejected":
                reason = reason or package.get("ApprovalDescription", "")
            reason = reason or last.get(arn, "")
            self.history.packages[number(arn)] = Package(status, noted.get("release", ""), reason)

    def ends_of_releases(self) -> dict[str, str]:
        """Why the last release of each package failed, by ARN; nothing for one that did not."""
        found: dict[str, str] = {}
        for listed in reversed(self.console.executions("release")[:20]):
            execution = self.console.workflows.describe_execution(executionArn=listed["executionArn"])
            found[json.loads(execution["input"]).get("model_package_arn", "")] = execution.get("cause", "")
        return found

    def row(self, fault: Fault) -> tuple[str, ...]:
        """One line of the table: what the client saw, and when it was over."""
        stream = self.history.stream
        failed = set(stream.statuses) - {200}
        counts = ", ".join(f"{count} × {status or 'no answer'}" for status, count in sorted(stream.statuses.items()))
        again = f"{stream.recovered_after(self.healed or self.began):.1f} s" if failed else "no request failed"
        return fault.name, counts, f"{stream.longest_gap:.1f} s", again, fault.mended


class ThrottlingServer(RunningServer):
    """A proxy of the local cloud that refuses every other call, as AWS's control plane does under load.

    Args:
        url: the local cloud's.
    """

    def __init__(self, url: str) -> None:
        self.refused, calls, throttling = 0, count(), self

        class Proxy(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                if not self.path.startswith("/restapis") and next(calls) % 2 == 0:
                    throttling.refused += 1
                    query = "form-urlencoded" in self.headers.get("content-type", "")
                    self.answer(400, {}, (THROTTLED_QUERY if query else THROTTLED_JSON).encode())
                    return
                given = dict(self.headers)
                asked = requests.request(self.command, url + self.path, data=body, headers=given, timeout=60)
                kept = {name: asked.headers[name] for name in ("content-type",) if name in asked.headers}
                self.answer(asked.status_code, kept, asked.content)

            do_POST = do_GET  # noqa: N815

            def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), Proxy))


def evidence_of(console: Console, packages: list[str] | None = None) -> dict[str, dict[str, Row]]:
    """What each version answered to each test sentence when it was judged; the digest is noted on its package."""
    found = {}
    for arn in packages or console.left_over()["packages"]:
        noted = console.package(arn).get("CustomerMetadataProperties", {})
        if "evidence_sha256" in noted:
            answers = console.read(noted["evidence"])
            sentences = console.read(f"{noted['evidence'].rsplit('/', 2)[0]}/sentences.jsonl")
            assert hashlib.sha256(answers).hexdigest() == noted["evidence_sha256"]
            assert hashlib.sha256(sentences).hexdigest() == noted["test_sha256"]
            rows = (row_of(json.loads(line)["predictions"][0]) for line in answers.splitlines())
            asked = (json.loads(line)["inputs"] for line in sentences.splitlines())
            found[number(arn)] = dict(zip(asked, rows, strict=True))
    return found


def write_table(file: Path, rows: list[tuple[str, ...]]) -> None:
    """Write rows into the table between the two comments of a Markdown file; a fault's new row replaces its old one."""
    head, rest = file.read_text(encoding="utf-8").split(BEGIN)
    former, tail = rest.split(END)
    lines = {line.split(" | ")[0]: line for line in former.strip().splitlines()[2:]}
    lines |= {f"| {row[0]}": f"| {' | '.join(row)} |" for row in rows}
    heading = f"| {' | '.join(HEADINGS)} |\n{'|---' * len(HEADINGS)}|"
    file.write_text("\n".join([head + BEGIN, heading, *lines.values(), END + tail]), encoding="utf-8")
