"""The command line of the training job: hyperparameters and folders, from the container's toolkit or a person."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from classifier.errors import JobError
from classifier.job.hyperparameters import IGNORED, Hyperparameters, fields, unknown

FOLDERS = {
    "train": "Data file, or a folder with one, or with train, test and validation files by their usual names: CSV, "
    "TSV, JSON Lines, JSON, Parquet or Excel, also compressed. Default: SM_CHANNEL_TRAIN.",
    "test": "The same for the test split; without a test file, some rows are held out (test_fraction). Default: "
    "SM_CHANNEL_TEST.",
    "model-dir": "Folder for the model. Default: SM_MODEL_DIR.",
    "output-data-dir": "Folder for metrics, the loss curve and the rows left out. Default: SM_OUTPUT_DATA_DIR, "
    "else MODEL_DIR-output.",
    "checkpoint-dir": "Folder for checkpoints, from which a stopped run resumes. Default: checkpoints in the "
    "container's base directory, else MODEL_DIR-checkpoints.",
}
"""The folders that the command line accepts, with their help texts."""


@dataclass(frozen=True)
class Arguments:
    """The options that were given, as text and unchecked."""

    hyperparameters: dict[str, str]
    folders: dict[str, str]


class _Parser(argparse.ArgumentParser):
    """An argparse parser that raises instead of ending the process, so that the job's failure file gets the reason."""

    def error(self, message: str) -> NoReturn:
        raise JobError(
            f"The command line cannot be read: {message}.", hint="Run `python train.py --help` for what is allowed."
        )


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Read the command line. Print the help and exit for `--help`.

    Names may use hyphens or underscores. `--sagemaker_*` belongs to the container's toolkit and is ignored.

    Raises JobError: an option does not exist, lacks its value, or a value has no option.
    """
    known, rest = _parser().parse_known_args([_hyphenated(item) for item in argv])
    _refuse_unknown(rest)
    given = {name: value for name, value in vars(known).items() if value is not None}
    folders = {name: given.pop(name) for name in (key.replace("-", "_") for key in FOLDERS) if name in given}
    return Arguments(hyperparameters=given, folders=folders)


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
            help=_escape(f"{setting.meaning} Allowed: {setting.allowed}. Default: {shown}."),
        )
    return parser


def _hyphenated(item: str) -> str:
    """Write the underscores in an option's name as hyphens; leave values alone."""
    name, equals, value = item.partition("=")
    return name.replace("_", "-") + equals + value if item.startswith("--") else item


def _escape(help_text: str) -> str:
    return help_text.replace("%", "%%")  # argparse formats help with %


def _refuse_unknown(rest: list[str]) -> None:
    """Refuse what argparse did not recognise, except for the toolkit's options and their values."""
    ignored = False
    for item in rest:
        if item.startswith("--"):
            name = item[2:].partition("=")[0].replace("-", "_")
            if not name.startswith(IGNORED):
                raise unknown(name)
            ignored = "=" not in item
        elif ignored:
            ignored = False
        else:
            raise JobError(
                f"The command line cannot be read: {item!r} belongs to no option.",
                hint="Write --name value; `python train.py --help` lists the names.",
            )
