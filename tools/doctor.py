"""Look at this machine, before or after set-up: what is needed, what there is, and what to do next (`make doctor`).

Run with the Python that set-up would take, an old one too: of this project and of others nothing may be needed that is
not of the standard library. It changes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import inf
from pathlib import Path
from urllib.parse import urlsplit

from operations.checks import FAILED, NOTE, OK, Check, judged, written
from tools import browser, setup

PROBE_SECONDS = 2.0
"""The longest that one address is waited for; all are asked at the same time."""
CUDA_GB = 4
"""What a CUDA build of torch takes more (`tools/setup.py`)."""
SWIFT_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
"""Processors in whose arithmetic training runs faster (`training_job/classifier/training/precision.py`)."""


def checks(port: str) -> Iterator[Check]:
    """Yield what every check finds. `port`: the one of PORT, as it was typed."""
    installed = setup.STAMP.exists()
    yield from _python()
    free, needed = shutil.disk_usage(setup.ROOT).free / 1e9, 0 if installed else setup.DISK_GB
    found = (
        f"{free:.0f} GB free; set-up takes {setup.DISK_GB:g}, or {setup.DISK_GB + CUDA_GB:g} with a CUDA build of torch"
    )
    yield judged("disk space", free >= needed, found, "free some space, or move the folder to a larger disk")
    yield judged("git", bool(shutil.which("git")), "model packages name its revision", "install git", NOTE)
    yield Check("node, C compiler", OK, "not needed: set-up brings a node, and compiles nothing")
    current = installed and setup.STAMP.read_text() == setup.fingerprint(sys.version_info[:2])
    yield judged("set-up", current, "complete" if current else "not yet, or of another version", "make setup", NOTE)
    yield from _processor()
    yield _port(port)
    yield from _network(installed)
    chromium = browser.find()
    found = str(chromium) if chromium else "none: the browser tests are skipped"
    yield judged("Chromium", bool(chromium), found, browser.HOW_TO, NOTE)


def _python() -> Iterator[Check]:
    try:
        setup.check_machine(sys.version_info[:2], inf)
    except setup.SetupError as error:
        found, _, step = str(error).partition("\nNext step: ")
        yield Check("Python", FAILED, found, step)
    else:
        yield Check("Python", OK, f"{sys.version.split()[0]}, {sys.executable}")


def _processor() -> Iterator[Check]:
    gigabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    yield Check("memory", OK, f"{gigabytes:.0f} GB")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield judged("cores", cores > 1, f"{cores}; `make up` takes 4 to 8 minutes on two", "expect twice that time", NOTE)
    info = Path("/proc/cpuinfo")
    swift = SWIFT_FLAGS.intersection(info.read_text().split()) if info.exists() else set()
    yield Check("arithmetic", OK, f"bf16 ({', '.join(sorted(swift))})" if swift else "fp32: training takes longer")


def _port(typed: str) -> Check:
    if not typed.isdecimal() or not 1024 <= int(typed) <= 65535:
        return Check("port", FAILED, f"'{typed}' is not a port", "a number from 1024 to 65535, such as PORT=4567")
    try:
        socket.create_server(("127.0.0.1", int(typed))).close()
    except OSError:
        # Health answers 503 while the services start.
        ours = _answers(f"http://127.0.0.1:{typed}/_local/health", (200, 503))
        found = f"{typed} is taken by {'a local cloud of this project' if ours else 'another program'}"
        return judged("port", ours, found, f"choose another one: make up PORT={int(typed) % 65535 + 1}")
    return Check("port", OK, f"{typed} is free")


def _answers(address: str, statuses: tuple[int, ...] = ()) -> bool:
    """Return whether an address answers, in time, with one of these statuses; without any, whatever it answers."""
    answered: list[int] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(address, timeout=PROBE_SECONDS) as answer:
                answered.append(answer.status)
        except urllib.error.HTTPError as error:
            answered.append(error.code)
        except (OSError, ValueError):
            pass

    # A thread of its own, because no timeout holds for the look-up of a name.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PROBE_SECONDS)
    return bool(answered) and (not statuses or answered[0] in statuses)


def _hosts() -> dict[str, tuple[str, str]]:
    """Return what set-up and training ask → its address, by this machine's settings, and what goes on without it."""
    get = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    index = os.environ.get("PIP_INDEX_URL") or subprocess.run(get, capture_output=True, text=True).stdout.strip()
    data = json.loads((setup.ROOT / "cdk.json").read_text())["context"]["environments"]["local"]["data"]["source_url"]
    needed = "set-up needs it; what is installed already works on"
    return {
        "PyPI": (index or "https://pypi.org/simple/", needed),
        "npm": (os.environ.get("NPM_CONFIG_REGISTRY") or "https://registry.npmjs.org/", needed),
        "model hub": (os.environ.get("HF_ENDPOINT") or "https://huggingface.co/", "set-up brings a base model along"),
        "data host": (data, "a small synthetic data set stands in, or yours: make up DATA=tickets.csv"),
    }


def _network(installed: bool) -> Iterator[Check]:
    hosts = _hosts()
    with ThreadPoolExecutor(len(hosts)) as pool:
        reached = list(pool.map(lambda name: (name, _answers(hosts[name][0])), hosts))
    for name, there in reached:
        address, without = hosts[name]
        found = f"{urlsplit(address).hostname} {'answers' if there else f'does not answer: {without}'}"
        if name in ("PyPI", "npm") and not installed:
            step = "connect, or name a proxy or a mirror: HTTPS_PROXY, PIP_INDEX_URL, NPM_CONFIG_REGISTRY"
            yield judged(name, there, found, step)
        else:
            yield Check(name, OK if there else NOTE, found)


def main() -> int:
    """Print all checks; return 1 if something needed is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    options = parser.parse_args([*sys.argv[1:], *shlex.split(os.environ.get("ARGS", ""))])
    found = list(checks(os.environ.get("PORT") or "4566"))
    text, bad = written(found)
    print(json.dumps([vars(one) for one in found], indent=2) if options.json else text)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
