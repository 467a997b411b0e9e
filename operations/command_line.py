"""The command line `python -m operations <verb>`: every verb with its options.

A verb is a function of its own name in a module below `operations.verbs`. Its docstring is what `--help` says, and the
module's `INTERRUPTED` says what goes on after Ctrl-C. Only the module of the verb that runs is imported.
"""

import argparse
import difflib
import importlib
import inspect
import os
import shlex
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from operations.console import COLUMNS
from operations.errors import OperationError
from operations.sizing.sizes import PRICE_PER_GB_SECOND

APPROVALS = ("auto", "manual", "never")
EXIT_CODES = """\
exit codes:
  0    done
  1    failed; standard error says what failed and what to do next
  2    an argument is missing or not allowed
  130  interrupted (Ctrl-C)
"""


def words_of(variable: str) -> list[str]:
    """Split a variable of make into words as a shell does, quotes included, and interpret nothing else in it."""
    try:
        return shlex.split(os.environ.get(variable, ""))
    except ValueError as error:
        hint = f"close every quote in {variable}"
        raise OperationError(f"{variable} can't be split into words: {error}.", hint=hint) from error


def port(text: str) -> int:
    """Read a port's number."""
    if not text.isdecimal() or not 1024 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port; allowed: 1024 to 65535, for example PORT=4567")
    return int(text)


def _approval(text: str) -> str:
    if text not in APPROVALS:  # argparse does not compare defaults with its choices
        raise argparse.ArgumentTypeError(f"'{text}' is not allowed; choose from {', '.join(APPROVALS)}")
    return text


def _switch(variable: str) -> bool:
    """Read a variable of make that switches something on; refuse what is neither 1 nor 0, instead of guessing."""
    if (value := os.environ.get(variable) or "0") in ("0", "1"):
        return value == "1"
    raise OperationError(f"{variable}={value} is not allowed.", hint=f"{variable}=1, or leave it out")


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number <= 1e12:
        raise argparse.ArgumentTypeError(f"'{text}' is not allowed; a number above 0")
    return number


@dataclass(frozen=True)
class Option:
    """An option (its name has dashes) or an argument of a verb, as in `argparse`.

    A value of make's `variable`, where it is not empty, goes before `default`. `words`: whether the option may be
    repeated, and the variable holds several values. `flag`: it has no value.
    """

    name: str
    help: str
    default: Any = None
    variable: str = ""
    words: bool = False
    flag: bool = False
    type: Callable[[str], Any] = str
    nargs: str | None = None
    choices: Sequence[str] | None = None

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Add it to a verb's parser."""
        notes = [f"make: {self.variable}={'1' if self.flag else ''}"] if self.variable else []
        notes += [] if self.default is None else [f"default: {self.default}"]
        text = f"{self.help} ({'; '.join(notes)})" if notes else self.help
        metavar = self.name.rpartition("-")[2].upper() if self.name.startswith("-") and not self.choices else None
        if self.words:
            added = words_of(self.variable)
            parser.add_argument(self.name, action="append", default=added, metavar=metavar, help=text)
            return
        if self.flag:
            parser.add_argument(self.name, action="store_true", default=_switch(self.variable), help=text)
            return
        value = os.environ.get(self.variable) or self.default
        nargs = "?" if value and not self.name.startswith("-") else self.nargs
        more: dict[str, Any] = {"nargs": nargs, "choices": self.choices, "metavar": metavar}
        parser.add_argument(self.name, default=value, type=self.type, help=text, **more)


@dataclass(frozen=True)
class Verb:
    """One line of the list of verbs, with its module below `operations.verbs`.

    `local`: whether it is for the local cloud, without `--env` unless that is among its options, and has no result for
    `--json`. `deployed`: whether it asks an environment, so that it has `--env`.
    """

    module: str
    summary: str
    options: tuple[Option, ...] = ()
    local: bool = False
    deployed: bool = True


ENV = Option("--env", "environment of cdk.json: local (the local cloud), dev or prod (AWS)", "local", "ENV")
PORT = Option("--port", "TCP port of the local cloud on 127.0.0.1", "4566", "PORT", type=port)
CDK_ARGUMENTS = Option("arguments", "sub-command and options of cdk (make: ARGS=)", nargs=argparse.REMAINDER)
LINES = Option("--lines", "lines of each log group", 15, type=int)
HOURS = Option("--hours", "how far back", 24, type=float)
HYPERPARAMETER = Option("--hyperparameter", "one of the job's, NAME=VALUE", variable="HYPERPARAMETERS", words=True)
EXECUTION = (
    HYPERPARAMETER,
    Option("--data", "file or folder to put into the data bucket first", variable="DATA", type=Path),
    Option("--data-source", "https:// or s3:// address of a data file, or of a folder", variable="DATA_SOURCE"),
    Option("--training-job", "judge this finished training job, not a new one", variable="TRAINING_JOB"),
    Option("--approval", f"after a good verdict: {', '.join(APPROVALS)}", variable="APPROVAL", type=_approval),
    Option("--tune", "tune hyperparameters: {} or more, as JSON (docs/execution-input.md)", variable="TUNE"),
    Option("--input", "any other input, as JSON (docs/execution-input.md)", variable="INPUT"),
)
DATA = Option("data", "file or folder of labelled texts", "training_job/data", "DATA", type=Path)
PACKAGE = partial(Option, "package", variable="PACKAGE", nargs="?")
LISTED = PACKAGE("version number or ARN to show in full; left out: list all")
NEWEST = PACKAGE("version number or ARN; left out: the one registered last")
PENDING = PACKAGE("version number or ARN", nargs=None)
FORMER = PACKAGE("version number or ARN; left out: the one that served before")
TEXT = Option("text", "to classify", variable="TEXT")
TEST = (
    Option("--data", "file or folder; left out: the released model's own test rows", variable="DATA", type=Path),
    HYPERPARAMETER,
    Option("--minimum-accuracy", "exit with 1 below this accuracy", 0.0, type=float),
    Option("--minimum-f1", "exit with 1 below this F1", 0.0, type=float),
)
TEARDOWN = (
    Option("--dry-run", "destroy nothing: list what would go and what would remain", flag=True),
    Option("--yes", "destroy protected stacks without a question", flag=True),
    Option("--failed", "only stacks whose first deployment failed, so that it can be repeated", flag=True),
)
SIZING = (
    Option("--artifact", "folder or model.tar.gz; left out: the released one", variable="ARTIFACT", type=Path),
    Option("--container", "server; left out: the package's, slim for --artifact", choices=("huggingface", "slim")),
    Option("--price", "US dollars per GB and second; of us-east-1", PRICE_PER_GB_SECOND, type=_positive),
    Option("--requests-per-second", "expected load; as dev's API allows", 20, type=_positive),
    Option("--seconds", "how long each kind of request is repeated", 2.0, type=_positive),
)
COSTS = (
    Option("--predictions", "a month", 100_000, type=_positive),
    Option("--trainings", "a month, with their evidence jobs", 4, type=_positive),
    Option("--minutes", "that each of these jobs is billed for; assumed", 15, type=_positive),
    Option("--characters", "of a text, for Comprehend", 100, type=_positive),
    Option("--refresh", "ask AWS for the prices first, and keep them", flag=True),
)
PUBLISHING = (
    PENDING,
    Option("--repo", "model repository, owner/name", "", "REPO"),
    Option("--dry-run", "send nothing: show files, card and target", variable="DRY_RUN", flag=True),
    Option("--public", "make a new repository public", variable="PUBLIC", flag=True),
    Option("--overwrite", "replace whatever the repository holds", variable="OVERWRITE", flag=True),
    Option("--unapproved", "publish a package that is not approved", flag=True),
    Option("--license", "the Hub's name of a licence; left out: the base model's", variable="LICENSE"),
    Option("--language", "code of the texts' language; left out: the base model's", variable="TEXT_LANGUAGE"),
    Option("--token-secret", "name or ARN of a secret with the Hub's token", variable="HUB_TOKEN_SECRET"),
)
LOCAL_CLOUD = "machine.local_cloud"

VERBS = {
    "up": Verb(LOCAL_CLOUD, "deploy, train, serve and ask, all locally", (PORT, HYPERPARAMETER), local=True),
    "deploy": Verb(LOCAL_CLOUD, "start the local cloud and deploy all stacks to it", (PORT,), local=True),
    "cdk": Verb(LOCAL_CLOUD, "run any cdk command", (ENV, CDK_ARGUMENTS), local=True),
    "down": Verb(LOCAL_CLOUD, "stop the local cloud and everything in it", local=True),
    "status": Verb("deployment.status", "show addresses, credentials and which model answers"),
    "logs": Verb("deployment.logs", "show failures and the newest log lines", (LINES, HOURS)),
    "data": Verb("model.data", "show how labelled texts are read", (DATA, HYPERPARAMETER), deployed=False),
    "config": Verb("deployment.config", "show every value of the configuration and where it comes from"),
    "cost": Verb("deployment.cost", "estimate a month's costs, beside other ways to serve", COSTS),
    "preflight": Verb("deployment.preflight", "check whether the account can take the deployment"),
    "verify": Verb("deployment.verify", "check a deployment: API, limits, metrics, workflow"),
    "teardown": Verb("deployment.teardown", "destroy the environment, list what remains and whose it is", TEARDOWN),
    "train": Verb("model.training", "train, judge, register and release", EXECUTION),
    "train-sdk": Verb("model.training", "launch the training job with the SageMaker SDK", (HYPERPARAMETER,)),
    "recipe": Verb("model.training", "show the training job as the console asks for it"),
    "releases": Verb("model.releases", "list the model packages, or show one in full", (LISTED,)),
    "report": Verb("model.releases", "fetch the evaluation report of a model package", (NEWEST,)),
    "approve": Verb("model.releases", "approve a model package, which releases it", (PENDING,)),
    "rollback": Verb("model.releases", "go back to the model that served before", (FORMER,)),
    "reproduce": Verb("model.reproduce", "train a package's model again, compare the figures", (PENDING,)),
    "publish": Verb("model.publish", "publish a model package to the Hugging Face Hub", PUBLISHING),
    "predict": Verb("model.predict", "classify one text through the REST API", (TEXT,)),
    "evaluate": Verb("model.evaluate", "measure accuracy and F1 through the REST API", TEST),
    "size-endpoint": Verb("model.size_endpoint", "measure the model, recommend memory and concurrency", SIZING),
    "synth": Verb(LOCAL_CLOUD, "synthesise the templates of every environment", local=True),
}


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read a command line. `run` is the verb's function, `interrupted` what a person should know after Ctrl-C."""
    look = partial(argparse.RawDescriptionHelpFormatter, width=COLUMNS, max_help_position=28)
    parser = argparse.ArgumentParser(
        prog="python -m operations",
        description="Deploy, train, release, ask and measure; on the local cloud or on AWS.",
        epilog=f"`python -m operations <verb> --help` explains a verb.\n\n{EXIT_CODES}",
        formatter_class=look,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="verb", required=True)
    variables = {"ARGS", "CONTEXT", *(one.variable for verb in VERBS.values() for one in (*verb.options, ENV))}
    for name in os.environ.get("UNKNOWN", "").split():
        if near := difflib.get_close_matches(name.upper(), variables, 1, cutoff=0.7):
            parser.error(f"no command reads {name}; the nearest variable of make is {near[0]}")
    wanted = next((word for word in words if not word.startswith("-")), None)
    if wanted and wanted not in VERBS:
        parser.error(f"argument verb: invalid choice: '{wanted}'{_nearest(wanted, VERBS)}")
    for name, verb in VERBS.items():
        added = verbs.add_parser(name, help=verb.summary, epilog=EXIT_CODES, formatter_class=look)
        if name == wanted:
            _configure(added, name, verb)
    arguments, unknown = parser.parse_known_args([*words, *words_of("ARGS")])
    if unknown:
        options = [option.name for option in (*VERBS[arguments.verb].options, ENV)] + ["--json", "--help"]
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{_nearest(unknown[0].partition('=')[0], options)}")
    return arguments


def _nearest(word: str, known: Iterable[str]) -> str:
    """Return what to say about a wrong word: the nearest that is known, and where all are."""
    near = difflib.get_close_matches(word, list(known), 1, cutoff=0.7)
    return f"; the nearest is '{near[0]}', --help lists all" if near else "; --help lists all"


def _configure(parser: argparse.ArgumentParser, name: str, verb: Verb) -> None:
    module = importlib.import_module(f"operations.verbs.{verb.module}")
    run = getattr(module, name.replace("-", "_"))
    parser.description = _filled(inspect.getdoc(run) or "")
    parser.set_defaults(run=run, interrupted=getattr(module, "INTERRUPTED", ""), json=False)
    for option in (*verb.options, ENV) if verb.deployed and not verb.local else verb.options:
        option.add_to(parser)
    if not verb.local:
        parser.add_argument("--json", action="store_true", help="print the result as JSON, progress to standard error")


def _filled(text: str) -> str:
    """Return a docstring in paragraphs of `COLUMNS`; its examples begin one."""
    paragraphs = text.replace("\nFor example:", "\n\nFor example:").split("\n\n")
    return "\n\n".join(textwrap.fill(" ".join(one.split()), COLUMNS, break_on_hyphens=False) for one in paragraphs)
