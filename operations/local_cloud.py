"""The local cloud's process: start it, see whether it lives, stop it."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import psutil

from operations import paths
from operations.deployment import PROJECT
from operations.errors import LocalCloudError
from operations.serving_images import serving_images

DEFAULT_PORT = 4566
HEALTH = "/_local/health"
START_SECONDS, STOP_SECONDS = 60, 60


def write_image_map() -> None:
    """Say which interpreter stands for which container image on this machine.

    Training images run train.py with the project's environment, which holds what the training container holds;
    the official inference image is stood for by a program that calls the hooks in the artifact's `code/inference.py`;
    the slim image by its own start command, on the tree that the image holds.
    """
    python = str(paths.PYTHON)
    served = {"huggingface": "*/huggingface-pytorch-inference:*", "slim": f"*/{PROJECT}-*-serving:*"}
    images = [
        {"image": "*/huggingface-pytorch-training:*", "kind": "training", "python": python},
        *(
            {
                "image": served[container],
                "kind": "serving",
                "python": python,
                "command": image.arguments,
                "environment": image.environment,
            }
            for container, image in serving_images().items()
        ),
    ]
    paths.LOCAL.mkdir(parents=True, exist_ok=True)
    paths.IMAGES.write_text(json.dumps(images, indent=2) + "\n", encoding="utf-8")


def server_pid() -> int | None:
    """Process id of the running server that belongs to this folder, or None."""
    try:
        pid = int(paths.SERVER_PID.read_text())
        process = psutil.Process(pid)
        command = process.cmdline() if process.status() != psutil.STATUS_ZOMBIE else []
    except (OSError, ValueError, psutil.Error):
        return None
    # A pid file may outlive its process, and the number may be somebody else's by now.
    return pid if "local.server" in command and str(paths.CLOUD_STATE) in command else None


def add_port(parser: argparse.ArgumentParser) -> None:
    """Add the option that says where the local cloud listens."""
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="TCP port on 127.0.0.1. Default: %(default)s")


def _port(text: str) -> int:
    if not text.isdecimal() or not 1024 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port; allowed: 1024 to 65535, for example PORT=4567")
    return int(text)


def endpoint_url(port: int) -> str:
    """Base URL of the local cloud's AWS API."""
    return f"http://127.0.0.1:{port}"


def running_port() -> int | None:
    """Port of the running local cloud, or None where it does not run."""
    if server_pid() is None or not paths.CREDENTIALS.exists():
        return None
    port = int(json.loads(paths.CREDENTIALS.read_text())["endpoint_url"].rsplit(":", 1)[1])
    return port if healthy(port) else None


def healthy(port: int) -> bool:
    """Whether the local cloud answers on this port."""
    try:
        with urllib.request.urlopen(endpoint_url(port) + HEALTH, timeout=5) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def start(port: int) -> int:
    """Start the local cloud, detached from this terminal, and wait until it answers.

    Args:
        port: wanted TCP port on 127.0.0.1; a cloud that already runs keeps its own.

    Returns:
        The port it listens on.

    Raises:
        LocalCloudError: the port is taken, or the server ended or stayed silent.
    """
    if (current := running_port()) is not None:
        return current
    stop()  # one that hangs would keep the state folder
    if port_taken(port):
        raise LocalCloudError(
            f"Port {port} on 127.0.0.1 is in use by another program.",
            hint=f"choose another one: make up PORT={port + 1}",
        )
    write_image_map()
    for folder in (paths.CLOUD_STATE, paths.LOGS):
        folder.mkdir(parents=True, exist_ok=True)
    command = [
        str(paths.CLOUD_PYTHON),
        "-m",
        "local.server",
        "--port",
        str(port),
        "--state-dir",
        str(paths.CLOUD_STATE),
        "--images",
        str(paths.IMAGES),
        "--log-dir",
        str(paths.LOGS),
    ]
    with paths.SERVER_LOG.open("a") as log:
        process = subprocess.Popen(
            command,
            cwd=paths.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    paths.SERVER_PID.write_text(f"{process.pid}\n")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LocalCloudError(
                f"The local cloud ended at once (exit code {process.returncode}):\n{log_tail()}",
                hint=f"read {paths.SERVER_LOG}",
            )
        if paths.CREDENTIALS.exists() and healthy(port):
            return port
        time.sleep(0.2)
    stop()
    raise LocalCloudError(
        f"The local cloud did not answer within {START_SECONDS} s:\n{log_tail()}", hint=f"read {paths.SERVER_LOG}"
    )


def stop() -> bool:
    """Stop the local cloud and everything it started; True where there was one."""
    pid = server_pid()
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while server_pid() is not None and time.monotonic() < deadline:
            time.sleep(0.1)
        if server_pid() is not None:
            os.kill(pid, signal.SIGKILL)
    for file in (paths.SERVER_PID, paths.STATUS):
        file.unlink(missing_ok=True)
    return pid is not None


def port_taken(port: int) -> bool:
    """Whether something already listens on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def log_tail(lines: int = 8) -> str:
    """The end of the server's log."""
    return "\n".join(paths.SERVER_LOG.read_text(errors="replace").splitlines()[-lines:])
