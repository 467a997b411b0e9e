"""The command line of the training job: hyperparameters and folders, from the container's toolkit or a person."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from classifier.errors import CommandLineInvalid
from classifier.job.hyperparameters import IGNORED_PREFIX, Hyperparameters, fields, unknown

FOLDERS = {
    "train": "Folder with train.json (or train.csv, or one data file), or that file. Else SM_CHANNEL_TRAIN.",
    "test": "The same for the test split; without it only validation figures are reported. Else SM_CHANNEL_TEST.",
    "model-dir": "Folder the model is written to. Else SM_MODEL_DIR.",
    "output-data-dir": "Folder for the figures, the loss curve and the rows left out. Else SM_OUTPUT_DATA_DIR, "
    "else MODEL_DIR-output.",
    "checkpoint-dir": "Folder for checkpoints; a run that was stopped goes on from there. Else checkpoints in the "
    "container's base directory, else MODEL_DIR-checkpoints.",
}
"""The folders that can be given on the command line, and what each is for."""


@dataclass(frozen=True)
class Arguments:
    """The command line, read but not checked: names to text, only those that were given."""

    hyperparameters: dict[str, str]
    folders: dict[str, str]


class _Parser(argparse.ArgumentParser):
    """argparse that raises instead of ending the process, so that the reason reaches the job's failure file."""

    def error(self, message: str) -> NoReturn:
        raise CommandLineInvalid(
            f"The command line cannot be read: {message}.", hint="Run `python train.py --help` for what is allowed."
        )


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Reads the command line; prints the help and ends for ``--help``.

    Hyphens and underscores in names are the same. ``--sagemaker_*`` is the container toolkit's own and is ignored.

    Raises:
        HyperparameterUnknown: an option does not exist; the nearest one is named.
        CommandLineInvalid: an option lacks its value, or a value lacks its option.
    """
    known, rest = _parser().parse_known_args([_hyphenated(item) for item in argv])
    _refuse_unknown(rest)
    given = {name: value for name, value in vars(known).items() if value is not None}
    folders = {name.replace("-", "_") for name in FOLDERS}
    return Arguments(
        hyperparameters={name: value for name, value in given.items() if name not in folders},
        folders={name: value for name, value in given.items() if name in folders},
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="train.py",
        description="Trains, evaluates and exports a text classifier: in a SageMaker training container, or on this "
        "machine with `--train DATA --test DATA --model-dir OUT`.",
        allow_abbrev=False,
    )
    folders = parser.add_argument_group("folders")
    for name, meaning in FOLDERS.items():
        folders.add_argument(f"--{name}", metavar="PATH", help=_escape(meaning))
    group = parser.add_argument_group("hyperparameters (a hyphen may be written as an underscore)")
    defaults = Hyperparameters().as_dict()
    for name, setting in fields().items():
        shown = defaults[name] if defaults[name] != "" else "empty"
        group.add_argument(
            f"--{name.replace('_', '-')}",
            metavar="VALUE",
            help=_escape(f"{setting.meaning} Allowed: {setting.rule.allowed}. Default: {shown}."),
        )
    return parser


def _hyphenated(item: str) -> str:
    """An option with its name's underscores as hyphens; a value as it is."""
    name, equals, value = item.partition("=")
    return name.replace("_", "-") + equals + value if item.startswith("--") else item


def _escape(help_text: str) -> str:
    return help_text.replace("%", "%%")  # argparse formats help with %


def _refuse_unknown(rest: list[str]) -> None:
    """Raises for what is left of the command line, except for options of the toolkit and their values."""
    ignored = False
    for item in rest:
        if item.startswith("--"):
            name = item[2:].partition("=")[0].replace("-", "_")
            if not name.startswith(IGNORED_PREFIX):
                raise unknown(name)
            ignored = "=" not in item
        elif ignored:
            ignored = False
        else:
            raise CommandLineInvalid(
                f"The command line cannot be read: {item!r} belongs to no option.",
                hint="Write --name value; `python train.py --help` lists the names.",
            )
