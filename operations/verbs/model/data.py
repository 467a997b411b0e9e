"""Show how a file of labelled texts is read, before anything is deployed or paid for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from operations import paths
from operations.aws import data as labelled
from operations.console import Answer
from operations.errors import OperationError
from operations.verbs.model.training import hyperparameters

if TYPE_CHECKING:
    from classifier.data.dataset import LabelledData

SUSPECTS = "suspects.jsonl"


def data(arguments: argparse.Namespace) -> Answer:
    """Read a file or a folder of labelled texts, and show how it was read and what looks wrong.

    Nothing is deployed. Everything that was inferred can be set with HYPERPARAMETERS. Rows that are not used, and rows
    whose label looks wrong, are listed in .local/data/.
    For example: make data DATA=tickets.csv, make data DATA=reviews.xlsx HYPERPARAMETERS="label_column=stars"
    """
    found = examine(arguments.data, hyperparameters(arguments.hyperparameter))
    return Answer(found.manifest, "\n".join(found.summary()))


def examine(place: Path, given: dict[str, str]) -> LabelledData:
    """Read data and look for everything that is wrong with it; raise OperationError if it is refused."""
    if not place.exists():
        raise OperationError(f"There is no file or folder {place}.", hint="make data DATA=file")
    folder = paths.LOCAL / "data"
    folder.mkdir(parents=True, exist_ok=True)
    return labelled.read(place, given, quarantine=folder).inspect(tokenizer=_tokenizer(), suspects=folder / SUSPECTS)


def _tokenizer() -> Path | None:
    """Return the tokenizer of the default base model, where it is installed."""
    from classifier.errors import ClassifierError
    from classifier.job.hyperparameters import Hyperparameters
    from classifier.model.base_model import find_base_model

    try:
        file = Path(find_base_model(Hyperparameters().base_model, "").location) / "tokenizer.json"
    except ClassifierError:
        return None
    return file if file.is_file() else None
