"""The data sets that the tests read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from classifier.data.dataset import DataSettings, LabelledData, load_data
from classifier.errors import ClassifierError

ROOT = Path(__file__).resolve().parents[3]


def json_lines(*rows: dict[str, Any] | str) -> bytes:
    """Rows as JSON Lines; a string stands as it is."""
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows).encode()


@pytest.fixture
def bundled() -> Path:
    """The bundled data set's folder."""
    return ROOT / "training_job" / "data"


@pytest.fixture
def real_set(real_data: Path | None) -> Path:
    """The real data set's folder; a test that needs it is left out where no copy lies beside the project."""
    if real_data is None:
        pytest.skip("no real data: set DATA to a folder with train.json and test.json of Helpful Sentences")
    return real_data


@pytest.fixture
def shared() -> Path:
    """The folder with data sets and files as people have them, where it lies beside the project."""
    folder = ROOT.parent / "shared"
    if not (folder / "field").is_dir():
        pytest.skip("no ../shared/field: files as people have them are no part of the project")
    return folder


@pytest.fixture
def data_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a data file: rows as dicts, raw lines as strings, or bytes for the whole content."""

    def write(*rows: dict[str, Any] | str, content: bytes | None = None, name: str = "train.json") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(json_lines(*rows) if content is None else content)
        return path

    return write


@pytest.fixture
def load() -> Callable[..., LabelledData]:
    """Reads data with settings given by name; nothing is held out unless `test_fraction` says so."""

    def read(train: Path, test: Path | None = None, *, quarantine: Path | None = None, **settings: Any) -> LabelledData:
        return load_data(train, test, DataSettings(**{"test_fraction": 0.0, **settings}), quarantine=quarantine)

    return read


@pytest.fixture
def refused(load: Callable[..., LabelledData]) -> Callable[..., str]:
    """Reads data that must be refused; gives the whole message, which has a hint."""

    def read(*paths: Path, **settings: Any) -> str:
        with pytest.raises(ClassifierError) as caught:
            load(*paths, **settings)
        assert caught.value.hint or caught.value.name  # type: ignore[attr-defined]
        return str(caught.value)

    return read
