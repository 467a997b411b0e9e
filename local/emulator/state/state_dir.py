"""The state folder: one server at a time, and the credentials of its root user. Standard library only."""

import errno
import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.emulator.common.environment import ACCOUNT_ID
from local.emulator.common.errors import CannotStartError, ExitCode

CREDENTIALS_FILE = "credentials.json"  # endpoint, region, account and root key, for every AWS client of this cloud


@contextmanager
def exclusive(root: Path) -> Iterator[None]:
    """Hold the state folder for this process, whose id is in the file `lock`. Raises CannotStartError."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            holder = f"process {lock.read().strip() or 'that is starting'}"
            message = f"The state folder {root} is in use by {holder}. Stop that cloud or name another --state-dir."
            raise CannotStartError(ExitCode.STATE_FOLDER_IN_USE, message) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def credentials(root: Path, *, port: int, region: str) -> dict[str, str]:
    """Read or make the root user's key and write `CREDENTIALS_FILE` (mode 0600) with the endpoint of this run.

    Keys: `endpoint_url`, `region`, `account_id`, `aws_access_key_id`, `aws_secret_access_key`.
    """
    path = root / CREDENTIALS_FILE
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    result = {
        "endpoint_url": f"http://127.0.0.1:{port}",
        "region": region,
        "account_id": ACCOUNT_ID,
        # Not twelve digits (ministack reads such a key as an account), and not AKIA… (secret scanners report it).
        "aws_access_key_id": known.get("aws_access_key_id") or f"LOCAL{secrets.token_hex(8).upper()}",
        "aws_secret_access_key": known.get("aws_secret_access_key") or secrets.token_urlsafe(30),
    }
    temporary = path.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=2)
    temporary.replace(path)
    return result


def listening_socket(port: int) -> socket.socket:
    """Return a socket that listens on 127.0.0.1 and `port`. Raises CannotStartError."""
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)  # with SO_REUSEADDR, for a quick restart
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason, exit_code = "is in use, perhaps by another local cloud. Stop that program", ExitCode.PORT_IN_USE
        else:
            reason, exit_code = f"cannot be used: {os.strerror(error.errno or 0)}. Free it", ExitCode.BAD_CONFIGURATION
        raise CannotStartError(exit_code, f"Port {port} on 127.0.0.1 {reason}, or choose another --port.") from error
