"""Chromium for the browser tests: finds it, and installs Debian's where this machine lets us.

Run by `make test`. Playwright's own browsers are not used: they'd be downloaded from elsewhere, into the home folder.
"""

import os
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW_TO = "install Chromium, on Debian: apt-get install chromium"
ARGUMENTS = (
    *("--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
"""A browser for tests, which asks nobody for anything; without a sandbox because root has none."""


def find() -> "Path | None":  # tools/doctor.py runs in old Pythons, too
    """Return the installed Chromium, or None."""
    return next(map(Path, filter(None, map(shutil.which, NAMES))), None)


def install() -> bool:
    """Install Debian's Chromium; whether that was possible: as root, with apt-get, with the packages in reach."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    steps = ([apt, "update", "-q"], [apt, "install", "-y", "-q", "--no-install-recommends", "chromium"])
    return all(subprocess.run(step, env=environment, stdout=subprocess.DEVNULL).returncode == 0 for step in steps)


def main() -> None:
    """Make sure that there is one; without, the browser tests skip, so this never fails."""
    if find() is None:
        print("[browser] installing Chromium for the browser tests ...", flush=True)
        if not install() or find() is None:
            print(f"[browser] not possible here; the browser tests will be skipped. To run them, {HOW_TO}.")


if __name__ == "__main__":
    main()
