"""The keep function, which copies an archive to where no job can write."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gate import keep
from serving.server.digests import files_digest
from shared.errors import MisconfiguredError
from shared.storage import StorageError

if TYPE_CHECKING:
    from conftest import World

JOBS = "s3://artifacts/training/job-1/output/model.tar.gz"
FILES = {"config.json": b"{}", "onnx/model_int8.onnx": b"weights" * 9999, "tokenizer.json": b"[]"}
ENVIRONMENT = {"MODELS_URI": "s3://artifacts/models"}


def archive(files: dict[str, bytes], prefix: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(prefix + name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize("prefix", ["", "./"])
def test_copy_lies_under_the_digest_of_its_bytes(world: World, prefix: str) -> None:
    """The copy is the archive, named by its SHA-256, whatever the job's own address holds later."""
    packed = world.s3.objects[JOBS] = archive(FILES, prefix)
    kept = keep.run(JOBS, ENVIRONMENT, world.s3)
    assert kept["sha256"] == hashlib.sha256(packed).hexdigest()
    assert kept["model_data"] == f"s3://artifacts/models/{kept['sha256']}/model.tar.gz"
    world.s3.objects[JOBS] = b"another one"
    assert world.s3.objects[kept["model_data"]] == packed
    assert keep.run(JOBS, ENVIRONMENT, world.s3)["model_data"] != kept["model_data"]


def test_server_computes_the_same_digest_of_its_files(world: World, tmp_path: Path) -> None:
    """What the function tells the container is what the slim server finds in the unpacked archive."""
    world.s3.objects[JOBS] = archive({**FILES, "code/inference.py": b"pass", "README.md": b"#"})
    kept = keep.run(JOBS, ENVIRONMENT, world.s3)
    with tarfile.open(fileobj=io.BytesIO(world.s3.objects[JOBS])) as packed:
        packed.extractall(tmp_path, filter="data")
    assert kept["environment"] == {"MODEL_FILES_SHA256": files_digest(tmp_path)}


def test_archive_that_is_replaced_while_it_is_read_is_not_kept(world: World) -> None:
    """Read and copy ask for the version that was there at first: another one is an error, not a copy."""
    world.s3.objects[JOBS] = archive(FILES)
    opened = world.s3.get_object

    def replaced(**asked: Any) -> dict[str, Any]:
        found = opened(**asked)
        world.s3.objects[JOBS] = b"another one"
        return found

    world.s3.get_object = replaced  # type: ignore[method-assign]
    with pytest.raises(StorageError, match="PreconditionFailed"):
        keep.run(JOBS, ENVIRONMENT, world.s3)
    assert not [uri for uri in world.s3.objects if "/models/" in uri]


def test_broken_archive_is_kept_and_left_to_the_evidence(world: World) -> None:
    """What can't be unpacked is copied all the same, without a digest of files: it will not answer."""
    world.s3.objects[JOBS] = b"nonsense"
    kept = keep.run(JOBS, ENVIRONMENT, world.s3)
    assert kept["environment"] == {} and world.s3.objects[kept["model_data"]] == b"nonsense"


def test_missing_archive_is_named(world: World) -> None:
    """The error says which object does not exist; a missing variable is the deployment's mistake."""
    with pytest.raises(StorageError, match=r"job-1/output/model.tar.gz does not exist"):
        keep.run(JOBS, ENVIRONMENT, world.s3)
    with pytest.raises(MisconfiguredError, match="MODELS_URI"):
        keep.run(JOBS, {}, world.s3)
