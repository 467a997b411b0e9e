"""A package whose bytes are not those of the lock is refused by the commands that install: real pip, uv and npm."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from json_server import JsonServer
from setup_copy import setup_copy
from tools import setup

pytestmark = pytest.mark.integration
WHEEL = "lamp-1.0-py3-none-any.whl"


def wheel(code: str) -> bytes:
    """A package of one module."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("lamp.py", code)
        archive.writestr("lamp-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: lamp\nVersion: 1.0\n")
        archive.writestr("lamp-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("lamp-1.0.dist-info/RECORD", "")
    return packed.getvalue()


GOOD, EVIL = wheel(""), wheel("import os; os.system('id')")
LOCKED = f"lamp==1.0 \\\n    --hash=sha256:{hashlib.sha256(GOOD).hexdigest()}\n"


@dataclass
class Index:
    """A package index on the loopback interface.

    Attributes:
        served: what it sends as lamp 1.0, with the hash of that.
        url: where it is.
    """

    served: bytes = GOOD
    url: str = ""

    def answer(self, path: str, _: dict[str, str], __: Any) -> tuple[int, dict[str, str], bytes]:
        """The list of files below `/simple/`, the file anywhere else."""
        digest = hashlib.sha256(self.served).hexdigest()
        page = f'<a href="/{WHEEL}#sha256={digest}">{WHEEL}</a>'.encode()
        listing = path.startswith("/simple/")
        kind = "text/html" if listing else "application/octet-stream"
        return 200, {"Content-Type": kind}, page if listing else self.served


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """The index, which pip and uv ask instead of every other."""
    index = Index()
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    with JsonServer(index.answer) as server:
        index.url = server.url
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"{index.url}/simple")
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"{index.url}/simple")
        monkeypatch.setenv("UV_NO_CONFIG", "1")
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
        yield index


@pytest.fixture
def copy(tmp_path: Path) -> Any:
    """Set-up in a folder of its own, with this project's pip and uv, and a lock of one package."""
    copy = setup_copy(tmp_path / "project")
    copy.LOCK.write_text(LOCKED)
    for name in copy.ASSEMBLED.values():
        (copy.ROOT / name).write_text(LOCKED)
    copy.LOG.parent.mkdir(parents=True)
    copy.UV = setup.UV
    return copy


def assemble_layer(copy: Any) -> Path:
    """As the Lambda layer is assembled, by set-up or by synthesis."""
    copy.assemble("lambda-layer", Path(sys.executable))
    return Path(copy.ROOT, "build", "lambda-layer", "python", "lamp.py")


def assemble_wheels(copy: Any) -> Path:
    """As the wheels of a training without internet are collected."""
    copy.assemble("training-wheels", Path(sys.executable))
    return Path(copy.ROOT, "build", "training-wheels", "wheels", WHEEL)


def install_slim(copy: Any) -> Path:
    """As the slim server is assembled, with the command for .venv."""
    command = copy.uv_install(Path(sys.executable), {"lamp"}, "--target", copy.ROOT / "slim")
    copy.run("slim", command)
    return Path(copy.ROOT, "slim", "lamp.py")


def start_job(copy: Any) -> Path:
    """As AWS's toolkit starts a job in the training container: no option but the file of requirements."""
    target = copy.ROOT / "job"
    command = [sys.executable, "-m", "pip", "install", "-r", "requirements.txt", "--target", target]
    copy.run("job", command, folder=copy.ROOT / "training_job")
    return Path(target, "lamp.py")


@pytest.mark.parametrize("install", [assemble_layer, assemble_wheels, install_slim, start_job])
def test_another_content_is_refused(install: Any, index: Index, copy: Any) -> None:
    """A wheel of the right name, with its own hash in the index, isn't installed; the locked one is."""
    index.served = EVIL
    with pytest.raises(copy.SetupError, match=r"(?i)hash") as caught:
        install(copy)
    assert hashlib.sha256(GOOD).hexdigest() in str(caught.value)
    assert not list(copy.ROOT.rglob("lamp.py"))
    index.served = GOOD
    assert install(copy).is_file()


def test_a_package_of_node_with_another_content_is_refused(tmp_path: Path, index: Index) -> None:
    """`npm ci` compares with package-lock.json."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        manifest = json.dumps({"name": "lamp", "version": "1.0.0"}).encode()
        entry = tarfile.TarInfo("package/package.json")
        entry.size = len(manifest)
        archive.addfile(entry, io.BytesIO(manifest))
    index.served = packed.getvalue()
    digest = base64.b64encode(hashlib.sha512(index.served).digest()).decode()
    for integrity, accepted in ((digest, True), (digest[::-1].lstrip("=") + "==", False)):
        one = {"version": "1.0.0", "resolved": f"{index.url}/lamp.tgz", "integrity": f"sha512-{integrity}"}
        root = {"name": "room", "dependencies": {"lamp": "1.0.0"}}
        (tmp_path / "package.json").write_text(json.dumps(root))
        lock = {**root, "lockfileVersion": 3, "packages": {"": root, "node_modules/lamp": one}}
        (tmp_path / "package-lock.json").write_text(json.dumps(lock))
        # npm would ask again for a minute and more before it says that the content is another.
        options = ("--no-audit", "--no-fund", "--fetch-retries=0", f"--cache={tmp_path / str(accepted)}")
        command: list[str | Path] = [*setup.npm_command(), "ci", *options]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0) == accepted, done.stderr
        assert ("EINTEGRITY" in done.stderr) != accepted
