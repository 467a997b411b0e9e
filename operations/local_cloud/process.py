"""The local cloud's process: start it, see whether it lives, stop it."""

import contextlib
import ctypes
import hashlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from http import HTTPStatus
from typing import TextIO

import psutil

from operations import paths
from operations.console import say
from operations.errors import OperationError
from operations.local_cloud.images import write_image_map

HEALTH = "/_local/health"
START_SECONDS, STOP_SECONDS = 60, 60
_PIDFD_GETFD = 438  # number of the Linux system call, the same on every processor


def endpoint_url(port: int) -> str:
    """Return the base URL of the local cloud's AWS API."""
    return f"http://127.0.0.1:{port}"


def start(port: int) -> int:
    """Start the local cloud, detached from this terminal, and wait until it answers.

    One that runs other code than this checkout's, as after an upgrade, is restarted. The new process takes over its
    listening socket, so callers wait instead of being refused.

    Returns the port on 127.0.0.1: the wanted one, or that of a cloud that already runs.
    """
    version, handed_over = _code_version(), None
    if (current := _running_port()) is not None:
        if paths.SERVER_PID.read_text().split()[1:] == [version]:
            return current
        say("  restarting: the running local cloud is of another version than this checkout")
        port, handed_over = current, _copy_of_listening_socket(current)
    stop()  # one that hangs would keep the state folder
    if handed_over is None and _port_taken(port):
        raise OperationError(
            f"Port {port} on 127.0.0.1 is in use by another program.",
            hint=f"choose another one: make up PORT={port + 1}",
        )
    write_image_map()
    for folder in (paths.CLOUD_STATE, paths.LOGS):
        folder.mkdir(parents=True, exist_ok=True)
    command = [str(paths.CLOUD_PYTHON), "-m", "local.server", "--port", str(port)]
    command += ["--state-dir", str(paths.CLOUD_STATE), "--images", str(paths.IMAGES), "--log-dir", str(paths.LOGS)]
    if handed_over is not None:
        command += ["--socket-fd", str(handed_over)]
    with _new_log() as log:
        process = subprocess.Popen(
            command,
            cwd=paths.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=() if handed_over is None else (handed_over,),
        )
    if handed_over is not None:
        os.close(handed_over)
    paths.SERVER_PID.write_text(f"{process.pid}\n{version}\n")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise _did_not_start(f"ended at once (exit code {process.returncode})")
        if paths.CREDENTIALS.exists() and _healthy(port):
            return port
        time.sleep(0.2)
    stop()
    raise _did_not_start(f"did not answer within {START_SECONDS} s")


def stop() -> bool:
    """Stop the local cloud and everything it started; True where there was one."""
    pid = _server_pid()
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _server_pid() is not None and time.monotonic() < deadline:
            time.sleep(0.1)
        if _server_pid() is not None:
            os.kill(pid, signal.SIGKILL)
    for file in (paths.SERVER_PID, paths.STATUS):
        file.unlink(missing_ok=True)
    return pid is not None


def _copy_of_listening_socket(port: int) -> int | None:
    """Return a file descriptor of the running server's socket; None where the system gives none (only Linux does)."""
    try:
        server = psutil.Process(_server_pid())
        sockets = [each for each in server.net_connections("tcp4") if each.status == psutil.CONN_LISTEN]
        number = next(each.fd for each in sockets if each.laddr.port == port)
        process = os.pidfd_open(server.pid)
        copy: int = ctypes.CDLL(None).syscall(_PIDFD_GETFD, process, number, 0)
        os.close(process)
    except (AttributeError, OSError, StopIteration, psutil.Error):
        return None
    return copy if copy >= 0 else None


def _code_version() -> str:
    """Return the SHA-256 of the local cloud's code and of the packages that it needs."""
    digest = hashlib.sha256((paths.ROOT / "local" / "requirements.txt").read_bytes())
    for file in sorted((paths.ROOT / "local").rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _server_pid() -> int | None:
    """Return the process id of the running server that belongs to this folder, or None."""
    try:
        pid = int(paths.SERVER_PID.read_text().split()[0])
        process = psutil.Process(pid)
        command = process.cmdline() if process.status() != psutil.STATUS_ZOMBIE else []
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    # A pid file may outlive its process, and the number may be somebody else's by now.
    return pid if "local.server" in command and str(paths.CLOUD_STATE) in command else None


def _running_port() -> int | None:
    if _server_pid() is None or not paths.CREDENTIALS.exists():
        return None
    port = int(json.loads(paths.CREDENTIALS.read_text())["endpoint_url"].rsplit(":", 1)[1])
    return port if _healthy(port) else None


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(endpoint_url(port) + HEALTH, timeout=5) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def _port_taken(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()  # with SO_REUSEADDR
    except OSError:
        return True
    return False


def _new_log() -> TextIO:
    """Open an empty log for one start; that of the start before is kept beside it."""
    with contextlib.suppress(FileNotFoundError):
        paths.SERVER_LOG.replace(paths.SERVER_LOG.with_suffix(".log.1"))
    return paths.SERVER_LOG.open("w")


def _did_not_start(reason: str) -> OperationError:
    log = paths.SERVER_LOG.read_text(errors="replace").splitlines()
    return OperationError("\n".join([f"The local cloud {reason}:", *log[-8:]]), hint=f"read {paths.SERVER_LOG}")
