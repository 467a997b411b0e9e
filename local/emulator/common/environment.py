"""The clean environment of the server process, and the ministack that it needs. Standard library only.

ministack reads its settings from the environment when it is imported, and Lambda functions inherit the server's. What
the developer's shell exports (AWS profiles, PYTHONPATH, virtual environments) must reach neither.
"""

import os
import shutil
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from local.discarding import discard
from local.emulator.common.errors import CannotStartError, ExitCode

REQUIRED_VERSION = "1.5.33"  # the release of ministack that the patches of this package were written for
ACCOUNT_ID = "000000000000"  # the account that holds everything
MARKER = "LOCAL_CLOUD_CLEAN_ENVIRONMENT"  # set in the environment made here
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_THREADS = "OMP_NUM_THREADS"  # on a busy machine one is faster than more, which wait for each other
_PASSED_ON = ("LANG", "LC_ALL", "TZ", _THREADS, *_CERTIFICATES)
_OWN_HOSTS = ("127.0.0.1", "localhost", ".localhost")
_SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")


class ServerPaths:
    """Folders below the state folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"  # HOME of the server and of Lambda functions
        self.temporary = root / "tmp"  # TMPDIR
        self.services = root / "services"  # state of ministack's services
        self.objects = root / "s3"  # content of the buckets
        self.sagemaker = root / "sagemaker"  # state of the SageMaker service

    def make(self) -> None:
        """Create the folders, readable by their owner only, with an empty TMPDIR."""
        self.root.mkdir(parents=True, exist_ok=True)
        discard(self.temporary)  # what crashed processes left, perhaps gigabytes
        for folder in (self.temporary, self.home, self.services, self.objects, self.sagemaker):
            folder.mkdir(mode=0o700, exist_ok=True)

    def clear_temporary(self) -> None:
        """Remove what this server left in TMPDIR."""
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(mode=0o700, exist_ok=True)  # a thread that is still ending may have made it anew


def inherited_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what programs need to reach the internet, past the proxy for this machine, and a limit of threads."""
    names = [*_PASSED_ON, *_PROXIES, *map(str.upper, _PROXIES)]
    kept = {name: environment[name] for name in names if environment.get(name)}
    direct = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = [*filter(None, (host.strip() for host in direct.split(","))), *_OWN_HOSTS]
    kept["no_proxy"] = kept["NO_PROXY"] = ",".join(dict.fromkeys(hosts))
    return kept


def base_environment(environment: Mapping[str, str], paths: ServerPaths) -> dict[str, str]:
    """Return what is left of the caller's `environment` when the server restarts itself."""
    node = shutil.which("node", path=environment.get("PATH", os.defpath))
    search = [*([str(Path(node).parent)] if node else []), *_SYSTEM_PATH]
    return {
        **inherited_environment(environment),
        MARKER: "1",
        "PATH": os.pathsep.join(dict.fromkeys(search)),
        "HOME": str(paths.home),
        "TMPDIR": str(paths.temporary),
        "PYTHONUNBUFFERED": "1",
    }


def emulator_environment(paths: ServerPaths, port: int, root: Mapping[str, str], concurrency: int) -> dict[str, str]:
    """Return the settings that ministack and the AWS SDKs of Lambda functions read.

    `root`: content of the credentials file. `concurrency`: Lambda executions that the account may have at a time.
    """
    return {
        # Where AWS SDKs find this cloud, and the key of its root user.
        "AWS_ENDPOINT_URL": root["endpoint_url"],
        "AWS_ACCESS_KEY_ID": root["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": root["aws_secret_access_key"],
        "AWS_REGION": root["region"],
        "AWS_DEFAULT_REGION": root["region"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
        "MINISTACK_REGION": root["region"],
        "AUTH": "true",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(paths.services),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(paths.objects),
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_ACCOUNT_CONCURRENCY": str(concurrency),
        # No second port, and no access to the machine's containers (ministack would remove those of another instance).
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
    }


def require_supported_version() -> None:
    """Raise CannotStartError unless the installed ministack is the one that this package was written for."""
    try:
        installed = metadata.version("ministack")
    except metadata.PackageNotFoundError:
        installed = ""
    if installed != REQUIRED_VERSION:
        found = f"ministack {installed}" if installed else "no ministack"
        raise CannotStartError(
            ExitCode.UNSUPPORTED_EMULATOR,
            f"The local cloud needs ministack {REQUIRED_VERSION} exactly (it changes its internals) but found {found}. "
            f"Install it with: python -m pip install ministack=={REQUIRED_VERSION}",
        )
