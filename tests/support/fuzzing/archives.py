"""Archives (`model.tar.gz`, `output.tar.gz`): unpacked into their folder and nowhere else, or refused."""

from __future__ import annotations

import io
import os
import re
import stat
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import Any

from fuzzing.run import Target
from gate.evidence.job_output import archive_members
from gate.keep import served_files_digest
from local.sagemaker.state.archives import ArchiveError, extract
from operations.aws.registry import unpack
from operations.errors import OperationError
from serving.server.digests import files_digest
from shared.errors import EvidenceError
from shared.storage import ObjectStore

_SLOW_DIGITS = re.compile(rb"\d{10000}") if sys.version_info < (3, 11, 10) else None
"""What tarfile of these Pythons takes hours to read in a member's extended head (CVE-2024-6232)."""
FILES = {"config.json": b"{}", "tokenizer.json": b"{}", "./onnx/model.onnx": b"x" * 600, "code/inference.py": b"pass\n"}


def packed(form: int, *, mode: str = "w:gz", links: bool = False) -> bytes:
    """An archive of a model."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, content in FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.pax_headers = {"comment": "a", "mtime": "1.5"} if form == tarfile.PAX_FORMAT else {}
            archive.addfile(entry, io.BytesIO(content))
        kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE) if links else ()
        for number, kind in enumerate(kinds):
            entry = tarfile.TarInfo(f"link{number}")
            entry.type, entry.linkname = kind, "../../outside"
            archive.addfile(entry)
    return buffer.getvalue()


def sparse(**headers: str) -> bytes:
    """An archive whose member has a map of holes; `headers` replace what is said of it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("config.json")
        entry.size = 2
        holes = {"GNU.sparse.size": "10", "GNU.sparse.map": "0,2", "GNU.sparse.name": "config.json"}
        entry.pax_headers = {**holes, **headers}
        archive.addfile(entry, io.BytesIO(b"{}"))
    return buffer.getvalue()


class _Bucket:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def get_object(self, **_: Any) -> dict[str, Any]:
        return {"Body": io.BytesIO(self._content)}


class Fuzzed(Target):
    """Gives an archive to everything that opens one."""

    def __init__(self) -> None:
        forms = (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT)
        super().__init__(
            [*map(packed, forms), packed(tarfile.GNU_FORMAT, links=True), sparse(), packed(forms[0], mode="w")]
        )

    def check(self, data: bytes) -> None:
        if _SLOW_DIGITS and _SLOW_DIGITS.search(_unpacked(data)):
            return
        try:
            archive_members(ObjectStore(_Bucket(data)), "s3://a/output.tar.gz", ("config.json",), limit=1 << 20)
        except EvidenceError as error:
            assert str(error)
        recorded = served_files_digest(io.BytesIO(data))
        for unpacked in (_by_the_service, _by_a_command):
            with tempfile.TemporaryDirectory() as outer:
                folder = Path(outer) / "a" / "b"
                (Path(outer) / "a").mkdir()
                archive = Path(outer) / "model.tar.gz"
                archive.write_bytes(data)
                whole = unpacked(archive, folder)
                _inspect(Path(outer), folder)
                if whole and recorded and unpacked is _by_the_service:
                    assert files_digest(folder) == recorded, "the server would refuse what the gate recorded"


def _unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(data)
    except zlib.error:
        return data


def _by_the_service(archive: Path, folder: Path) -> bool:
    try:
        extract(archive, folder)
    except ArchiveError as error:
        assert str(error)
        return False
    return True


def _by_a_command(archive: Path, folder: Path) -> bool:
    try:
        unpack(archive, folder)
    except OperationError as error:
        assert error.hint
        return False
    return True


def _inspect(outer: Path, folder: Path) -> None:
    """Nothing outside the folder; in it files and folders alone, or links that stay within, no rights of another's."""
    assert sorted(path.name for path in outer.iterdir()) == ["a", "model.tar.gz"]
    assert [path.name for path in (outer / "a").iterdir()] in ([], ["b"])
    for path in folder.rglob("*"):
        mode = path.lstat().st_mode
        assert stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode), path
        assert not mode & (stat.S_ISUID | stat.S_ISGID), path
        assert Path(os.path.realpath(path)).is_relative_to(folder.resolve()), path
