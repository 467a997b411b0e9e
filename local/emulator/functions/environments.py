"""The execution environments of Lambda functions: how many there are, what they share, what their failures are called.

ministack starts a process for every waiting request, with a copy of the function and of its layers. AWS's account has
1,000 environments to give; a laptop has what its memory and its processors can hold.
"""

import hashlib
import re
import shutil
import tempfile
import threading
import time
import zipfile
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.emulator.common.patching import Original, Record
from local.sagemaker.processes.child_environment import cpu_count

_PROCESSORS = cpu_count()
_EACH_BYTES = 64 * 1024**2  # memory of an environment with boto3 and Powertools
MOST = max(4, min(16 * _PROCESSORS, lambda_svc._memory_budget_bytes() // 4 // _EACH_BYTES))
"""Environments of a function: sixteen for each processor, in a quarter of the memory."""
WAIT_SECONDS = 5.0  # for one of them, before the request is throttled

_lock = threading.Lock()
_freed: dict[str, threading.Condition] = defaultdict(lambda: threading.Condition(_lock))  # by function name
_starting: set[Any] = set()
_unpacking = threading.Lock()
_ending = threading.Event()

_ANY_ERROR = "Runtime.HandlerError"  # ministack's type of every exception
_TRACE_START = "Traceback (most recent call last):"


class NoEnvironmentError(Exception):
    """Every environment of the function stayed busy for `WAIT_SECONDS`."""


class SharedArchive(zipfile.ZipFile):
    """A function's code, or a layer. It is unpacked once, however many environments use it."""

    def namelist(self) -> list[str]:
        """Name no member to ministack, which resolves the path of each twice. `extractall` itself leaves no folder."""
        return []

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        """Link the empty folder `path` to the shared files; they are read-only, only bytecode may be added."""
        archive, folder = Path(str(self.filename)), Path(path)
        if (archive.parent / "_worker.js").exists():  # of Node: ministack adds the layers' packages to the folder
            super().extractall(path, super().namelist())
            return
        shared = Path(tempfile.gettempdir(), "functions", hashlib.sha256(archive.read_bytes()).hexdigest())
        with _unpacking:
            if not shared.is_dir():
                scratch = shared.with_suffix(".new")
                shutil.rmtree(scratch, ignore_errors=True)
                super().extractall(scratch, super().namelist())
                for file in scratch.rglob("*"):
                    if file.is_file():
                        file.chmod(0o444)
                scratch.replace(shared)
        archive.unlink()
        folder.rmdir()
        folder.symlink_to(shared)


def acquire_worker(original: Original, name: str, *args: Any, **options: Any) -> Any:
    """Lease a free environment, or start one. Raises NoEnvironmentError.

    No more start at once than there are processors: a burst of requests is soon answered by the first that are up. The
    first of a function need not wait for those of another.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    with _lock:
        while True:
            limit = MOST if len(_starting) < _PROCESSORS or _ending.is_set() else 1
            worker, how = original(name, *args, **options, max_concurrency=limit)
            if worker is not None:
                if how == "spawn":
                    _starting.add(worker)
                return worker, how
            if not _freed[name].wait(deadline - time.monotonic()):
                raise NoEnvironmentError


def release_worker(original: Original, worker: Any) -> None:
    """Give an environment back, to the request that waits longest."""
    original(worker)
    if worker is None:  # its start failed, which `_started` has told
        return
    with _lock:
        _starting.discard(worker)
        _freed[worker.func_name].notify()


def _started(worker: Any) -> None:
    with _lock:
        _starting.discard(worker)
        for waiting in _freed.values():
            waiting.notify()


def throttle_response(original: Original, *args: Any, **options: Any) -> Record:
    """Name the error as Step Functions does, and word it as Lambda does."""
    result: Record = original(*args, **options)
    result["body"] |= {"errorType": "Lambda.TooManyRequestsException", "message": "Rate Exceeded."}
    return result


def execute_function(original: Original, func: Record, event: Any, request_id: str) -> Record:
    """Give the error of a function its type: the exception's class, as AWS reports it and state machines catch it."""
    result: Record = original(func, event, request_id)
    body = result.get("body")
    if result.get("error") and isinstance(body, dict) and body.get("errorType") == _ANY_ERROR:
        body["errorType"] = error_type(result.get("log") or "", body.get("errorMessage", "")) or _ANY_ERROR
    return result


def error_type(log: str, message: str) -> str:
    """Return the class of the exception with the text `message` whose traceback ends `log`, or an empty string."""
    trace = log[log.rfind(_TRACE_START) :] if _TRACE_START in log else log
    first_line = message.splitlines()[0] if message else ""
    found = re.findall(rf"^([A-Za-z_][\w.]*): {re.escape(first_line)}", trace, flags=re.MULTILINE) if first_line else []
    if not found and _TRACE_START in log:  # an exception without text stands alone on the last line
        found = re.findall(r"^([A-Za-z_][\w.]*)\s*$", trace, flags=re.MULTILINE)
    return found[-1].rsplit(".", 1)[-1] if found else ""


def install() -> None:
    """Have ministack's workers share their files, and tell when their start has ended."""
    errors = {"BadZipFile": zipfile.BadZipFile, "LargeFileError": zipfile.LargeZipFile}  # as ministack calls them
    lambda_runtime.zipfile = SimpleNamespace(ZipFile=SharedArchive, **errors)
    start = lambda_runtime.Worker._spawn

    def spawn(worker: Any) -> None:
        try:
            if _ending.is_set():
                raise RuntimeError("the local cloud is stopping")
            start(worker)
        finally:
            _started(worker)
        if _ending.is_set():  # `end` came too early to find its process
            worker.kill()

    lambda_runtime.Worker._spawn = spawn


def end() -> None:
    """End all environments for good: none starts any more, and a request that needs one fails."""
    _ending.set()
    lambda_runtime.reset()
