"""The clean environment of the server process. Standard library only.

ministack reads its settings from the environment when it is imported, and Lambda functions inherit the server's: what
the developer's shell exports (AWS profiles, PYTHONPATH, virtual environments) must not reach either.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ACCOUNT_ID = "000000000000"
"""The account everything lives in."""

MARKER = "LOCAL_CLOUD_CLEAN_ENVIRONMENT"
"""Set in the environment made here."""

_OUTSIDE_WORLD = ("http_proxy", "https_proxy", "all_proxy")
_PASSED_ON = ("LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_OWN_HOSTS = ("127.0.0.1", "localhost", ".localhost")
_SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")


@dataclass(frozen=True, kw_only=True)
class ServerPaths:
    """Folders below the state folder."""

    root: Path

    @property
    def home(self) -> Path:
        """HOME of the server and of Lambda functions."""
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        """TMPDIR; emptied at start and at stop."""
        return self.root / "tmp"

    @property
    def services(self) -> Path:
        """State of ministack's services."""
        return self.root / "services"

    @property
    def objects(self) -> Path:
        """Content of the buckets."""
        return self.root / "s3"

    @property
    def sagemaker(self) -> Path:
        """State of the SageMaker service."""
        return self.root / "sagemaker"

    @property
    def logs(self) -> Path:
        """Log files where no other folder is asked for."""
        return self.root / "logs"

    def make(self) -> None:
        """Create the folders, readable by their owner only, with an empty TMPDIR."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.clear_temporary()
        for folder in (self.home, self.services, self.objects, self.sagemaker):
            folder.mkdir(mode=0o700, exist_ok=True)

    def clear_temporary(self) -> None:
        """Remove what crashed processes left in TMPDIR."""
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(mode=0o700, exist_ok=True)


def outside_world(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables with which programs reach the internet, none of which may catch calls to this machine."""
    kept = {name: environment[name] for name in _PASSED_ON if environment.get(name)}
    for name in _OUTSIDE_WORLD:
        for spelling in (name, name.upper()):
            if environment.get(spelling):
                kept[spelling] = environment[spelling]
    direct = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = [*filter(None, (host.strip() for host in direct.split(","))), *_OWN_HOSTS]
    kept["no_proxy"] = kept["NO_PROXY"] = ",".join(dict.fromkeys(hosts))
    return kept


def base_environment(environment: Mapping[str, str], paths: ServerPaths) -> dict[str, str]:
    """What is left of the caller's `environment` when the server starts itself anew."""
    node = shutil.which("node", path=environment.get("PATH", os.defpath))
    search = [*([str(Path(node).parent)] if node else []), *_SYSTEM_PATH]
    return {
        **outside_world(environment),
        MARKER: "1",
        "PATH": os.pathsep.join(dict.fromkeys(search)),
        "HOME": str(paths.home),
        "TMPDIR": str(paths.temporary),
        "PYTHONUNBUFFERED": "1",
    }


def emulator_environment(
    *, paths: ServerPaths, port: int, region: str, access_key_id: str, secret_access_key: str
) -> dict[str, str]:
    """The settings ministack reads when it is imported, and what AWS SDKs in Lambda functions read."""
    return {
        # Where AWS SDKs find this cloud, and the key that is its root.
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret_access_key,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
        "MINISTACK_REGION": region,
        "AUTH": "true",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(paths.services),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(paths.objects),
        "LAMBDA_EXECUTOR": "local",
        # No second port, and hands off the machine's containers (ministack would remove leftovers of another one).
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
    }
