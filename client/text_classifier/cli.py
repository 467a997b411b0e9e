"""The command line `text-classifier`: score texts or files, and ask after the API's health and model."""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import tee
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from text_classifier.client import Client
from text_classifier.errors import TextClassifierError, UsageError
from text_classifier.file_run import score_file
from text_classifier.results import Outcome, Refusal
from text_classifier.tables import FORMS, Layout, Row, Writer, form_of, read_rows
from text_classifier.transport import MOST_IN_FLIGHT, RetryPolicy

DONE, FAILED, USAGE, SOME_REFUSED, INTERRUPTED = 0, 1, 2, 3, 130
URL, KEY = "TEXT_CLASSIFIER_URL", "TEXT_CLASSIFIER_API_KEY"
STDIN = Path("-")

EPILOG = f"""\
environment:
  {URL}      base of the API, without /v1; instead of --url
  {KEY}  value of the x-api-key header

exit codes:
  {DONE}    every text was scored
  {FAILED}    the API or the disk failed; with --out, the same command goes on where it was
  {USAGE}    the command, the input or files that exist do not allow it
  {SOME_REFUSED}    everything was answered, and some texts were refused; the output says which and why
  {INTERRUPTED}  interrupted (Ctrl-C); with --out, the same command goes on where it was
"""

SCORE = """\
Score texts given as arguments, or the rows of a file.

With --out, what is answered is kept in a journal beside the output. A run that was ended in any way, kill -9 included,
goes on when the same command is run again, and asks again only what was under way (at most --in-flight requests of up
to 100 rows). The output appears when it is complete. Rows that cannot be scored, empty ones for example, are written
with their error.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; answers the exit code."""
    progress = _Progress()
    try:
        arguments = _parser().parse_args(argv)
        logging.basicConfig(format="%(message)s", level=logging.INFO if arguments.verbose else logging.WARNING)
        with _client(arguments) as client:
            return _run(arguments, client, progress)
    except UsageError as error:
        return _fail(error, USAGE)
    except TextClassifierError as error:
        return _fail(error, FAILED)
    except BrokenPipeError:  # whoever read the output, `head` for example, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        _say(f"Error: {error}\nNext step: check the path, its rights and the space on the disk.")
        return FAILED
    except KeyboardInterrupt:
        _say(f"\nInterrupted. {progress.state}".rstrip())
        return INTERRUPTED


def run() -> NoReturn:
    """Run the command that the process was started with, and exit."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # half a surrogate pair as JSON escapes it
    code = main()
    if code in (FAILED, INTERRUPTED):
        # An ordinary exit would wait for the requests under way, and for all that they may have to wait for.
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", default=os.environ.get(URL), help=f"base of the API, without /v1. Default: ${URL}")
    common.add_argument("--api-key", help=f"better set ${KEY}: what stands on a command line can be seen by others")
    common.add_argument(
        "--retry-seconds",
        type=float,
        default=RetryPolicy.seconds,
        metavar="SECONDS",
        help="how long a request is sent again while the API is throttled, starting or not there. "
        "Default: %(default).0f",
    )
    common.add_argument("--verbose", action="store_true", help="tell about every request that is sent again")
    parser = argparse.ArgumentParser(
        prog="text-classifier", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="score | health | model")

    def command(name: str, summary: str, description: str | None = None) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=summary,
            description=description or f"{summary.capitalize()}.",
            epilog=EPILOG,
            parents=[common],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    score = command("score", "score texts, or the rows of a file", SCORE)
    score.add_argument("text", nargs="*", help="texts to score")
    score.add_argument("--file", type=Path, help="CSV, JSON Lines, or one text a line; - reads standard input")
    score.add_argument("--out", type=Path, help="where the scored rows go. Default: standard output, without a journal")
    score.add_argument(
        "--column",
        help="column or key with the text. Default: the only one, else one named text, "
        "sentence, review, comment, content, body or message",
    )
    score.add_argument(
        "--format",
        choices=sorted(set(FORMS.values())),
        help="what is in the file. Default: what its ending says; for standard input, text",
    )
    score.add_argument("--delimiter", default=Layout.delimiter, help="between the fields of CSV. Default: a comma")
    score.add_argument("--prefix", default=Layout.prefix, help="put before the names of the columns that are added")
    score.add_argument("--json", action="store_true", help="write JSON Lines, whatever was read")
    score.add_argument(
        "--in-flight",
        type=int,
        default=4,
        metavar="N",
        help=f"requests at once, 1 to {MOST_IN_FLIGHT}. Default: %(default)s",
    )
    health = command("health", "print what the API says of its health")
    health.add_argument("--deep", action="store_true", help="ask the model too, not only the API")
    command("model", "print what the API says of the model that serves")
    return parser


def _client(arguments: argparse.Namespace) -> Client:
    if not arguments.url:
        raise UsageError("Which API?", hint=f"Give --url, or set {URL}.")
    if arguments.api_key is not None:
        _say(f"Note: other users of this machine can see the key of --api-key; {KEY} keeps it from them.")
    return Client(
        arguments.url,
        api_key=arguments.api_key or os.environ.get(KEY),
        retry=RetryPolicy(seconds=arguments.retry_seconds),
    )


def _run(arguments: argparse.Namespace, client: Client, progress: _Progress) -> int:
    if arguments.command == "health":
        print(json.dumps(client.health(deep=arguments.deep), indent=2))
        return DONE
    if arguments.command == "model":
        print(json.dumps(client.model(), indent=2))
        return DONE
    if bool(arguments.text) == bool(arguments.file):
        raise UsageError("Score what?", hint="Give texts, or --file, not both.")
    if arguments.text:
        return _score_texts(arguments, client)
    return _score_to_file(arguments, client, progress) if arguments.out else _score_to_stdout(arguments, client)


def _score_texts(arguments: argparse.Namespace, client: Client) -> int:
    if arguments.out:
        raise UsageError("--out is for --file.", hint="Redirect the output: text-classifier score … > file.")
    refused = 0
    writer = Writer(sys.stdout, Layout(form="text", as_json=True))
    for text, outcome in zip(
        arguments.text, client.score_all(arguments.text, in_flight=arguments.in_flight), strict=True
    ):
        refused += isinstance(outcome, Refusal)
        if arguments.json:
            writer.write(Row({"text": text}, text), outcome)
        else:
            print(_line(outcome))
    return SOME_REFUSED if refused else DONE


def _score_to_stdout(arguments: argparse.Namespace, client: Client) -> int:
    layout = _layout(arguments)
    writer, refused, number = Writer(sys.stdout, layout), 0, 0
    with _lines(arguments.file) as lines:
        rows, asked = tee(read_rows(lines, layout))
        outcomes = client.score_all((row.text for row in asked), in_flight=arguments.in_flight)
        for number, (row, outcome) in enumerate(zip(rows, outcomes, strict=False), start=1):  # noqa: B007
            refused += isinstance(outcome, Refusal)
            writer.write(row, outcome)
    sys.stdout.flush()
    return _sum_up(number, refused, client)


def _score_to_file(arguments: argparse.Namespace, client: Client, progress: _Progress) -> int:
    if arguments.file == STDIN:
        raise UsageError(
            "Standard input can be read only once, and --out may need it again after an interruption.",
            hint="Score a file, or leave --out away and redirect the output.",
        )
    with progress, logging_redirect_tqdm():
        summary = score_file(
            client, arguments.file, arguments.out, _layout(arguments), in_flight=arguments.in_flight, tell=progress.tell
        )
    code = _sum_up(summary.rows, summary.refused, client)
    _say(f"Model version {' and '.join(summary.model_versions) or '-'}. Written: {arguments.out}")
    return code


def _sum_up(rows: int, refused: int, client: Client) -> int:
    _say(f"{rows} rows: {rows - refused} scored, {refused} refused; {client.requests_sent} requests.")
    return SOME_REFUSED if refused else DONE


def _layout(arguments: argparse.Namespace) -> Layout:
    form = arguments.format or ("text" if arguments.file == STDIN else form_of(arguments.file))
    return Layout(
        form=form,
        column=arguments.column,
        delimiter=arguments.delimiter,
        prefix=arguments.prefix,
        as_json=arguments.json,
    )


@contextmanager
def _lines(file: Path) -> Iterator[io.TextIOWrapper]:
    source = sys.stdin.buffer if file == STDIN else file.open("rb")
    with io.TextIOWrapper(source, encoding="utf-8-sig", newline="") as lines:
        yield lines


def _line(outcome: Outcome) -> str:
    if isinstance(outcome, Refusal):
        return f"refused  {outcome}"
    score = "" if outcome.score is None else f"  score {outcome.score:.2f}"
    return f"{outcome.label}  {outcome.confidence:.2f}{score}" + "  (its end was ignored)" * bool(outcome.truncated)


class _Progress:
    """A progress bar on a terminal; on other outputs nothing but where a run goes on."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self.state = ""
        """How far the run is, and how to go on with it; empty before it began."""

    def tell(self, done: int, rows: int) -> None:
        """Show how far the run is."""
        if self._bar is None:
            if done:
                _say(f"Going on: {done} of {rows} rows are done.")
            self._bar = tqdm(total=rows, initial=done, unit=" rows", disable=None)
        self._bar.update(done - self._bar.n)
        self.state = f"{done} of {rows} rows are done.\nNext step: the same command goes on from there."

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def _fail(error: TextClassifierError, code: int) -> int:
    _say(f"Error: {error.message}\nNext step: {error.hint}")
    return code


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
