"""The execution environments of Lambda functions: how many, who waits, and what they share."""

from __future__ import annotations

import io
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.emulator.functions import environments
from local.emulator.functions.environments import NoEnvironmentError, SharedArchive, acquire_worker, release_worker


class Worker:
    """An environment of a function."""

    def __init__(self, name: str) -> None:
        self.func_name = name
        self.in_use = True


class Pool:
    """What ministack does with workers: lends a free one, or makes one below the given limit."""

    def __init__(self) -> None:
        self.workers: dict[str, list[Worker]] = {}

    def acquire(self, name: str, max_concurrency: int) -> tuple[Worker | None, str]:
        entries = self.workers.setdefault(name, [])
        for worker in entries:
            if not worker.in_use:
                worker.in_use = True
                return worker, "reused"
        if len(entries) >= max_concurrency:
            return None, "func_cap"
        entries.append(Worker(name))
        return entries[-1], "spawn"

    def lease(self, name: str = "f", *, started: bool = True) -> Worker:
        worker, how = acquire_worker(self.acquire, name)
        assert isinstance(worker, Worker)
        if started and how == "spawn":
            environments._started(worker)
        return worker

    @staticmethod
    def release(worker: Worker) -> None:
        release_worker(lambda lent: setattr(lent, "in_use", False), worker)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    """An empty pool: three environments a function, two starts at once, a short wait."""
    monkeypatch.setattr(environments, "MOST", 3)
    monkeypatch.setattr(environments, "_PROCESSORS", 2)
    monkeypatch.setattr(environments, "WAIT_SECONDS", 0.2)
    environments._starting.clear()
    yield Pool()
    environments._starting.clear()


def test_a_function_has_no_more_environments_than_its_bound(pool: Pool) -> None:
    """Above it a request waits shortly and is refused; another function still gets one."""
    for _ in range(3):
        pool.lease()
    began = time.monotonic()
    with pytest.raises(NoEnvironmentError):
        pool.lease()
    assert 0.15 < time.monotonic() - began < 2
    assert len(pool.workers["f"]) == 3
    pool.lease("smoke-test")


def test_a_request_that_waits_gets_the_environment_that_is_freed(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, and none is started for it."""
    monkeypatch.setattr(environments, "WAIT_SECONDS", 10.0)
    first, *_ = [pool.lease() for _ in range(3)]
    threading.Timer(0.1, pool.release, (first,)).start()
    began = time.monotonic()
    assert pool.lease() is first
    assert time.monotonic() - began < 2


def test_no_more_start_at_once_than_there_are_processors(pool: Pool) -> None:
    """The third of a function waits for the start of the others; the first of another function does not."""
    starting = [pool.lease(started=False) for _ in range(2)]
    pool.lease("other", started=False)
    with pytest.raises(NoEnvironmentError):
        pool.lease()
    for worker in [*starting, *pool.workers["other"]]:
        environments._started(worker)
    assert pool.lease() in pool.workers["f"]


def test_a_start_that_fails_frees_its_place(pool: Pool) -> None:
    """An environment that is given back without having started blocks no other start."""
    for worker in [pool.lease(started=False) for _ in range(2)]:
        pool.release(worker)
    assert not environments._starting


def test_none_starts_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that starts meanwhile has no process yet that could be found; it is ended as soon as it is up."""
    seen: list[str] = []

    class Starting:
        kill = staticmethod(lambda: seen.append("killed"))

        def _spawn(self) -> None:
            seen.append("started")
            environments.end()

    monkeypatch.setattr(lambda_runtime, "Worker", Starting)
    monkeypatch.setattr(lambda_runtime, "zipfile", zipfile)  # `install` changes it
    monkeypatch.setattr(environments, "_ending", threading.Event())
    environments.install()
    Starting()._spawn()
    assert seen == ["started", "killed"]
    with pytest.raises(RuntimeError, match="is stopping"):
        Starting()._spawn()
    assert seen == ["started", "killed"]


def test_an_environment_that_did_not_start_is_given_back_as_none() -> None:
    """The emulator has dropped it by then; the reason of the failure is what the caller gets, and no other error."""
    given: list[None] = []
    release_worker(given.append, None)
    assert given == [None]


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes an archive where ministack writes it for a new environment, and unpacks it there."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def unpacked(environment: str, content: str) -> Path:
        folder = tmp_path / environment / "code"
        folder.mkdir(parents=True)
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as package:
            package.writestr(zipfile.ZipInfo("a/b.py"), content)
        path = folder.with_suffix(".zip")
        path.write_bytes(written.getvalue())
        with SharedArchive(path) as package:
            package.extractall(str(folder))
        assert not path.exists()
        return folder / "a" / "b.py"

    return unpacked


def test_environments_share_one_unpacked_archive(archive: Any, tmp_path: Path) -> None:
    """Same bytes, same files, read-only; other bytes, other files."""
    one, two, other = archive("1", "same"), archive("2", "same"), archive("3", "other")
    assert one.samefile(two) and not one.samefile(other)
    assert (one.read_text(), other.read_text()) == ("same", "other")
    assert one.stat().st_mode & 0o222 == 0
    assert len(list((tmp_path / "functions").iterdir())) == 2


def test_an_archive_that_was_cut_off_is_unpacked_again(archive: Any, tmp_path: Path) -> None:
    """What a kill left half unpacked is used by nobody."""
    archive("1", "same")
    (shared,) = (tmp_path / "functions").iterdir()
    shared.rename(shared.with_suffix(".new"))
    (shared.with_suffix(".new") / "a" / "b.py").unlink()
    assert archive("2", "same").read_text() == "same"


@pytest.mark.parametrize("node", [False, True])
def test_no_archive_writes_outside_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, node: bool) -> None:
    """A member with `..` or a root lands inside. ministack's own check, a third of a second a layer, sees no member."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "shared"))
    (tmp_path / "shared").mkdir()
    folder = tmp_path / "environment" / "code"
    folder.mkdir(parents=True)
    if node:
        (folder.parent / "_worker.js").touch()
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as package:
        for name in ("../../up.py", f"{tmp_path}/root.py", "inside.py"):
            package.writestr(zipfile.ZipInfo(name), "x")
    with SharedArchive(folder.with_suffix(".zip")) as package:
        assert not package.namelist()
        package.extractall(str(folder))
    unpacked = {file.resolve() for file in tmp_path.rglob("*.py")}
    assert {file.name for file in unpacked} == {"up.py", "root.py", "inside.py"}
    assert all(file.is_relative_to(folder.resolve()) for file in unpacked)


def test_a_function_for_node_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """The packages of its layers are linked into it."""
    (tmp_path / "_worker.js").touch()
    folder = tmp_path / "code"
    folder.mkdir()
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as package:
        package.writestr("index.js", "x")
    with SharedArchive(tmp_path / "code.zip") as package:
        package.extractall(str(folder))
    assert not folder.is_symlink() and (folder / "index.js").read_text() == "x"


def test_a_throttled_invocation_is_named_as_state_machines_catch_it() -> None:
    """The error is Lambda.TooManyRequestsException, the text Lambda's."""
    result = environments.throttle_response(lambda_svc._throttle_response, "ConcurrentInvocationLimitExceeded", "x")
    assert result["body"]["errorType"] == "Lambda.TooManyRequestsException"
    assert (result["body"]["message"], result["throttle"]) == ("Rate Exceeded.", True)
