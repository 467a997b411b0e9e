"""Whether the files to load are those that were judged, by a digest that comes from outside the archive."""

import hashlib
from pathlib import Path

from serving.errors import ServingError


def check_files(model_dir: Path, expected: str) -> None:
    """Raise ServingError unless the files that the server loads have this digest; see `files_digest`."""
    found = files_digest(model_dir)
    if found != expected:
        raise ServingError(
            f"the model's files are not those that were judged: their digest is {found}, MODEL_FILES_SHA256 says "
            f"{expected}. Release the package again; where that doesn't help, train anew"
        )


def files_digest(model_dir: Path) -> str:
    """Return the SHA-256 of what `sha256sum config.json onnx/* tokenizer.json` prints in the model's folder.

    `lambda/gate/keep.py` computes the same while it copies the archive.
    """
    found = {path for name in ("config.json", "tokenizer.json", "onnx/**/*") for path in model_dir.glob(name)}
    names = sorted(path.relative_to(model_dir).as_posix() for path in found if path.is_file())
    lines = (f"{_sha256(model_dir / name)}  {name}\n" for name in names)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
