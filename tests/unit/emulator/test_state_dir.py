"""The state folder and the port."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from local.emulator.common.errors import CannotStartError, ExitCode
from local.emulator.state.state_dir import CREDENTIALS_FILE, credentials, exclusive, listening_socket


def test_credentials_are_random_and_private(tmp_path: Path) -> None:
    """Two folders never share a key, and only the owner can read it."""
    one, two = (credentials(tmp_path / name, port=1, region="r") for name in _folders(tmp_path))
    assert one["aws_secret_access_key"] != two["aws_secret_access_key"]
    assert len(one["aws_secret_access_key"]) >= 40
    assert stat.S_IMODE((tmp_path / "a" / CREDENTIALS_FILE).stat().st_mode) == 0o600


def test_credentials_stay_and_the_endpoint_follows(tmp_path: Path) -> None:
    """A restart on another port keeps the key and writes the new endpoint."""
    before = credentials(tmp_path, port=1, region="us-east-1")
    after = credentials(tmp_path, port=2, region="us-east-1")
    assert after == {**before, "endpoint_url": "http://127.0.0.1:2"}


def test_a_broken_credentials_file_is_replaced(tmp_path: Path) -> None:
    """An incomplete file, left by a full disk, does not prevent the start."""
    (tmp_path / CREDENTIALS_FILE).write_text('{"aws_acc')
    assert credentials(tmp_path, port=1, region="us-east-1")["aws_access_key_id"]


def test_the_key_is_no_account_number(tmp_path: Path) -> None:
    """Twelve digits would be an account number to ministack."""
    assert not credentials(tmp_path, port=1, region="us-east-1")["aws_access_key_id"].isdigit()


def test_a_second_holder_is_refused_by_name(tmp_path: Path) -> None:
    """The error carries the process id of the first holder; afterwards the folder is free again."""
    with exclusive(tmp_path):
        with (
            pytest.raises(CannotStartError, match=rf"in use by process {os.getpid()}\.") as refused,
            exclusive(tmp_path),
        ):
            pass
        assert refused.value.exit_code == ExitCode.STATE_FOLDER_IN_USE == 4
    with exclusive(tmp_path):
        pass


def test_a_taken_port_is_an_error_with_the_next_step() -> None:
    """The message names the port and the option to change it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStartError, match=rf"Port {port} .*--port") as refused:
            listening_socket(port)
    assert refused.value.exit_code == ExitCode.PORT_IN_USE == 3


def _folders(parent: Path) -> list[str]:
    for name in ("a", "b"):
        (parent / name).mkdir()
    return ["a", "b"]
