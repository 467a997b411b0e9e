"""Starts the local cloud: `python -m local.server --port 4566 --state-dir .local/state --images images.json`.

The server listens on 127.0.0.1 only and is ready when `GET /_local/health` answers 200. The endpoint and the root
user's keys are in `<state-dir>/credentials.json`. SIGTERM or Ctrl-C ends it together with every child process.

Exit codes: 0 stopped on request, 2 bad arguments or files, 3 port in use, 4 state folder in use by another local
cloud, 5 ministack missing or of another version.
"""

import argparse
import logging
import logging.handlers
import os
import re
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from local.emulator.common import environment
from local.emulator.common.environment import ServerPaths
from local.emulator.common.errors import CannotStartError, ExitCode
from local.emulator.state.state_dir import credentials, exclusive, listening_socket
from local.sagemaker.common.settings import ImageRule, Settings, load_image_map

_LOG_FILE = "local-cloud.log"
_START_SECONDS = "LOCAL_ENDPOINT_START_SECONDS"  # the variable that the option --endpoint-start-seconds overrides
_CONCURRENCY = "LOCAL_LAMBDA_CONCURRENCY"  # the same for --lambda-concurrency
_PROJECT = Path(__file__).resolve().parent.parent
_LOG_BYTES = 5_000_000
_MAX_START_SECONDS = 3600.0
_MAX_CONCURRENCY = 100_000
# ministack writes a line for each of its hundred services at every start and save. KMS reports a missing package that
# only its signatures need.
_QUIET = {"persistence": logging.WARNING, "ministack": logging.WARNING, "kms": logging.ERROR}


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; paths come back absolute."""
    parser = argparse.ArgumentParser(prog="python -m local.server", description="A local cloud for development.")
    parser.add_argument("--port", type=int, default=4566, help="port on 127.0.0.1 (default: 4566)")
    parser.add_argument("--state-dir", type=_absolute, required=True, help="folder for everything that is kept")
    parser.add_argument("--images", type=_absolute, required=True, help="image map: which program replaces an image")
    parser.add_argument("--log-dir", type=_absolute, help="folder for log files (default: <state-dir>/logs)")
    parser.add_argument("--socket-fd", type=int, default=-1, help="inherited socket that listens on --port already")
    parser.add_argument("--region", default="us-east-1", help="region of the cloud (default: us-east-1)")
    parser.add_argument(
        "--endpoint-start-seconds",
        type=_seconds,
        default=os.environ.get(_START_SECONDS) or str(Settings.endpoint_start_seconds),
        help=f"how long a model's server may take to answer /ping (default: {_START_SECONDS} or %(default)s)",
    )
    parser.add_argument(
        "--lambda-concurrency",
        type=_concurrency,
        default=os.environ.get(_CONCURRENCY) or "1000",
        help=f"concurrent Lambda executions of the account; new ones have 10 (default: {_CONCURRENCY} or 1000)",
    )
    options = parser.parse_args(arguments)
    if not 0 < options.port < 65536:
        parser.error(f"--port is {options.port}; allowed: 1 to 65535")
    options.log_dir = options.log_dir or options.state_dir / "logs"
    return options


def main() -> None:
    """Restart in a clean environment, then serve."""
    options = parse_arguments(sys.argv[1:])
    try:
        environment.require_supported_version()
        try:
            images = load_image_map(options.images)
        except (OSError, ValueError) as error:
            message = f"The image map {options.images} cannot be used: {error}"
            raise CannotStartError(ExitCode.BAD_CONFIGURATION, message) from error
        paths = ServerPaths(options.state_dir)
        if environment.MARKER not in os.environ:
            _restart(options, paths)
        with exclusive(options.state_dir):
            _serve(options, paths, images)
        logging.shutdown()
        os._exit(0)  # see LocalCloud.run
    except CannotStartError as error:
        logging.getLogger("local.cloud").debug("The server cannot start.", exc_info=True)
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def _serve(options: argparse.Namespace, paths: ServerPaths, images: tuple[ImageRule, ...]) -> None:
    """Run the cloud in this process until a signal. The caller holds the state folder."""
    inherited = options.socket_fd >= 0
    listening = socket.socket(fileno=options.socket_fd) if inherited else listening_socket(options.port)
    paths.make()
    root = credentials(options.state_dir, port=options.port, region=options.region)
    os.environ.update(environment.emulator_environment(paths, options.port, root, options.lambda_concurrency))
    _log_to(options.log_dir)
    # Only now: ministack reads its environment while it is imported.
    from local.emulator.runtime import LocalCloud

    settings = Settings(
        state_dir=paths.sagemaker,
        log_dir=options.log_dir,
        endpoint_url=root["endpoint_url"],
        images=images,
        child_environment=environment.inherited_environment(os.environ),
        endpoint_start_seconds=options.endpoint_start_seconds,
    )
    try:
        LocalCloud(settings, options.region).run(listening)
    finally:
        paths.clear_temporary()


def _restart(options: argparse.Namespace, paths: ServerPaths) -> None:
    """Replace this process by one that has nothing of the caller's environment."""
    # One argument for an option and one for its value: `make up` finds the server by the state folder's path.
    arguments = [part for name, value in vars(options).items() for part in (f"--{name.replace('_', '-')}", str(value))]
    os.chdir(_PROJECT)
    sys.stdout.flush()
    command = [sys.executable, "-m", "local.server", *arguments]
    os.execve(sys.executable, command, environment.base_environment(os.environ, paths))


def _log_to(folder: Path) -> None:
    """Send every log record to a file in `folder`, and warnings to stderr as well."""
    folder.mkdir(parents=True, exist_ok=True)
    file = logging.handlers.RotatingFileHandler(
        folder / _LOG_FILE, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8"
    )
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", handlers=[file, terminal]
    )
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", text) or not 0 < float(text) <= _MAX_START_SECONDS:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds; allowed: above 0, up to 3600")
    return float(text)


def _concurrency(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= _MAX_CONCURRENCY:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of executions; allowed: 1 to {_MAX_CONCURRENCY}")
    return int(text)


def _absolute(text: str) -> Path:
    return Path(text).absolute()


if __name__ == "__main__":
    main()
