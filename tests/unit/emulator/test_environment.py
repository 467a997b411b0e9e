"""The environment of the server process."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from local.emulator.common.environment import (
    MARKER,
    ServerPaths,
    base_environment,
    emulator_environment,
    inherited_environment,
)


def test_the_shells_settings_are_dropped(tmp_path: Path) -> None:
    """AWS profiles, Python settings and secrets are dropped."""
    shell = {"PATH": "/bin", "AWS_PROFILE": "p", "AWS_SECRET_ACCESS_KEY": "s", "PYTHONPATH": "/x", "HF_TOKEN": "t"}
    kept = base_environment(shell, ServerPaths(tmp_path))
    assert kept.keys() == {"no_proxy", "NO_PROXY", MARKER, "PATH", "HOME", "TMPDIR", "PYTHONUNBUFFERED"}


def test_home_and_temporary_files_stay_in_the_state_folder(tmp_path: Path) -> None:
    """HOME and TMPDIR lie below the state folder."""
    kept = base_environment({}, ServerPaths(tmp_path))
    assert kept["HOME"] == str(tmp_path / "home")
    assert kept["TMPDIR"] == str(tmp_path / "tmp")


def test_node_is_found_where_the_shell_finds_it(tmp_path: Path) -> None:
    """The folder of `node` comes first in PATH, the rest of the shell's PATH does not come at all."""
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\n")
    node.chmod(0o755)
    kept = base_environment({"PATH": f"/somewhere:{tmp_path}"}, ServerPaths(tmp_path))
    assert kept["PATH"].split(os.pathsep)[0] == str(tmp_path)
    assert "/somewhere" not in kept["PATH"]


def test_the_settings_for_the_internet_are_kept() -> None:
    """Proxies, certificate files and the limit of threads reach the children, empty variables do not."""
    shell = {"HTTPS_PROXY": "http://proxy:1", "http_proxy": "", "SSL_CERT_FILE": "/ca.pem", "OMP_NUM_THREADS": "1"}
    kept = inherited_environment(shell)
    assert kept["HTTPS_PROXY"] == "http://proxy:1"
    assert (kept["SSL_CERT_FILE"], kept["OMP_NUM_THREADS"]) == ("/ca.pem", "1")
    assert "http_proxy" not in kept


def test_calls_to_this_machine_bypass_the_proxy() -> None:
    """127.0.0.1 and localhost are added to what the shell excepts already."""
    assert (
        inherited_environment({"NO_PROXY": "intranet, localhost"})["no_proxy"]
        == "intranet,localhost,127.0.0.1,.localhost"
    )


def test_the_emulator_enforces_iam_on_loopback_and_opens_nothing_else(tmp_path: Path) -> None:
    """AUTH is on, the address is 127.0.0.1, and the listeners of ministack's other protocols are off."""
    root = {"endpoint_url": "http://127.0.0.1:4566", "region": "us-east-1"}
    root |= {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
    settings = emulator_environment(ServerPaths(tmp_path), 4566, root, concurrency=10)
    assert (settings["AUTH"], settings["LAMBDA_ACCOUNT_CONCURRENCY"]) == ("true", "10")
    assert settings["BIND_HOST"] == "127.0.0.1"
    assert (settings["IOT_MTLS_ENABLED"], settings["SFTP_ENABLED"]) == ("0", "0")
    assert not Path(settings["DOCKER_HOST"].removeprefix("unix://")).exists()


def test_making_the_folders_empties_the_temporary_one(tmp_path: Path) -> None:
    """Leftovers of a crash are gone, and nobody else may read the folders."""
    paths = ServerPaths(tmp_path)
    paths.temporary.mkdir()
    (paths.temporary / "left-over").write_text("x")
    paths.make()
    assert not list(paths.temporary.iterdir())
    assert stat.S_IMODE(paths.objects.stat().st_mode) == 0o700
