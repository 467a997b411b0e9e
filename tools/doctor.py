"""Look at this machine, before or after set-up, and change nothing: what is there, what it means, what to do next.

`make doctor` runs it with the Python that set-up would take, an old one too, so the standard library has to do.
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
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from threading import Thread
from urllib.parse import urlsplit

from classifier.training.precision import BF16_FLAGS, read_cpu_flags
from operations.checks import FAILED, NOTE, OK, Check, judged, written
from tools import browser, setup

PROBE_SECONDS = 2.0
"""The longest that the hosts are waited for, which are all asked at the same time."""


def checks(port: str) -> Iterator[Check]:
    """Yield what every check finds. `port`: that of the local cloud, as it was typed."""
    installed, problem = setup.STAMP.exists(), ""
    try:
        setup.check_machine(sys.version_info[:2], 1e9)
    except setup.SetupError as error:
        problem = str(error)
    found, _, step = (problem or f"{sys.version.split()[0]}, {sys.executable}").partition("\nNext step: ")
    yield judged("Python", not problem, found, step)
    free, taken = shutil.disk_usage(setup.ROOT).free / 1e9, setup.DISK_GB
    found = f"{free:.0f} GB free; set-up takes {taken:g}, or {taken + 4:g} with a CUDA build of torch"
    yield judged("disk space", installed or free >= taken, found, "free some, or move the folder to a larger disk")
    current = installed and setup.STAMP.read_text() == setup.fingerprint(sys.version_info[:2])
    yield judged("set-up", current, "complete" if current else "missing, or of another version", "make setup", NOTE)
    yield judged("git", bool(shutil.which("git")), "records the code's revision", "install git", NOTE)
    yield Check("node, C compiler", OK, "not needed: set-up brings a node, and compiles nothing")
    yield Check("memory", OK, f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9:.0f} GB")
    cores, training = os.cpu_count() or 1, "bf16" if BF16_FLAGS & read_cpu_flags() else "fp32: up to 4 times as long"
    found = f"{cores}, training in {training}; `make up` takes 4 to 8 min on 2"
    yield judged("cores", cores > 1, found, "expect twice that time", NOTE)
    yield _port(port)
    yield from _network(installed)
    chromium = browser.find()
    found = str(chromium or "none: the browser tests are skipped")
    yield judged("Chromium", chromium is not None, found, browser.HOW_TO, NOTE)


def _port(typed: str) -> Check:
    if not typed.isdecimal() or not 1024 <= int(typed) <= 65535:
        return judged("port", False, f"'{typed}' is not a port", "a number from 1024 to 65535, such as PORT=4567")
    try:
        socket.create_server(("127.0.0.1", int(typed))).close()
    except OSError:
        ours = _answer(f"http://127.0.0.1:{typed}/_local/health") in (200, 503)  # 503 while its services start
        found = f"{typed} is taken by {'a local cloud of this project' if ours else 'another program'}"
        return judged("port", ours, found, f"choose another one: make up PORT={int(typed) % 65535 + 1}")
    return Check("port", OK, f"{typed} is free")


def _answer(address: str) -> int:
    """Return the status of what answers at an address; 0 where nothing does."""
    try:
        return int(urllib.request.urlopen(address, timeout=PROBE_SECONDS).status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return 0


def _network(installed: bool) -> Iterator[Check]:
    get = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    index = os.environ.get("PIP_INDEX_URL") or subprocess.run(get, capture_output=True, text=True).stdout.strip()
    data = json.loads((setup.ROOT / "cdk.json").read_text())["context"]["environments"]["local"]["data"]["source_url"]
    without = "set-up needs it; what is installed already works on"
    hosts = {
        "PyPI": (index or "https://pypi.org/simple/", without),
        "npm": (os.environ.get("NPM_CONFIG_REGISTRY") or "https://registry.npmjs.org/", without),
        "model hub": (os.environ.get("HF_ENDPOINT") or "https://huggingface.co/", "set-up brings a base model along"),
        "data host": (data, "a small synthetic data set stands in, or yours: make up DATA=tickets.csv"),
    }
    statuses, ends = {}, time.monotonic() + PROBE_SECONDS
    # Threads that nobody waits for: no timeout holds for the look-up of a name.
    asking = [Thread(target=lambda n=n: statuses.update({n: _answer(hosts[n][0])}), daemon=True) for n in hosts]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(max(0, ends - time.monotonic()))
    for name, (address, without) in hosts.items():
        there, needed = bool(statuses.get(name)), name in ("PyPI", "npm") and not installed
        found = f"{urlsplit(address).hostname} {'answers' if there else f'does not answer: {without}'}"
        step = "connect, or name a proxy or a mirror: HTTPS_PROXY, PIP_INDEX_URL, NPM_CONFIG_REGISTRY" if needed else ""
        yield judged(name, there, found, step, FAILED if needed else NOTE)


def main() -> int:
    """Print all checks; return 1 if something needed is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    options = parser.parse_args([*sys.argv[1:], *shlex.split(os.environ.get("ARGS", ""))])
    found = list(checks(os.environ.get("PORT") or "4566"))
    text, bad = written(found)
    print(json.dumps([vars(one) for one in found], indent=2) if options.json else text)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
