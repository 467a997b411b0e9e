"""The command `text-classifier`: scores texts or files, and prints the API's health and model."""

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
from typing import NoReturn, TextIO, cast

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from text_classifier.client import MOST_CLASSES, Client, TopK
from text_classifier.errors import TextClassifierError, UsageError
from text_classifier.file_run import score_file
from text_classifier.reading import LIKELY_COLUMNS
from text_classifier.reading.table import AUTO, FORMATS, HEADERS, QUOTES
from text_classifier.results import Outcome, Refusal
from text_classifier.tables import (
    Layout,
    Row,
    Rows,
    Writer,
    form_of,
    open_rows,
    open_standard_input,
)
from text_classifier.terminal import Terminal, shown
from text_classifier.transport import MOST_IN_FLIGHT, RetryPolicy, client_version

DONE, FAILED, USAGE, SOME_REFUSED, INTERRUPTED = 0, 1, 2, 3, 130
URL, KEY = "TEXT_CLASSIFIER_URL", "TEXT_CLASSIFIER_API_KEY"
STDIN = Path("-")

EPILOG = f"""\
environment:
  {URL}      base of the API, without /v1; instead of --url
  {KEY}  value of the x-api-key header

exit codes:
  {DONE}    every text was scored
  {FAILED}    the API or the disk failed; with --out, the same command resumes the run
  {USAGE}    the command, the input or an existing file does not allow it
  {SOME_REFUSED}    some texts were refused; the output says which and why
  {INTERRUPTED}  interrupted (Ctrl-C); with --out, the same command resumes the run
"""

SCORE = """\
Score texts given as arguments, or the rows of a file.

With --out, answers are stored in a journal beside the output. After an interruption of any kind, including kill -9,
the same command resumes the run, and repeats only the requests that were in flight (at most --in-flight requests of
up to 100 rows). The output is written when it is complete. Rows that cannot be scored, such as empty ones, are written
with their error.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
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
    except BrokenPipeError:  # the reader of the output, such as `head`, closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        _say(f"Error: {error}\nNext step: check the path, its permissions and the free disk space.")
        return FAILED
    except KeyboardInterrupt:
        _say(f"\nInterrupted. {progress.state}".rstrip())
        return INTERRUPTED


def run() -> NoReturn:
    """Run the command of this process, and exit."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # for half of a surrogate pair
    code = main()
    if code in (FAILED, INTERRUPTED):
        # A normal exit would wait for the requests in flight, and for their retries.
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", default=os.environ.get(URL), help=f"base of the API, without /v1. Default: ${URL}")
    common.add_argument("--api-key", help=f"better set ${KEY}: other users can see a command line")
    common.add_argument(
        "--retry-seconds",
        type=float,
        default=RetryPolicy.seconds,
        metavar="SECONDS",
        help="how long to repeat a request while the API is throttled, starting or unreachable. Default: %(default).0f",
    )
    common.add_argument("--verbose", action="store_true", help="log every request that is repeated")
    parser = argparse.ArgumentParser(
        prog="text-classifier", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {client_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="score | health | model")

    def command(name: str, summary: str, description: str | None = None) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=summary,
            description=description or f"{summary[0].upper()}{summary[1:]}.",
            epilog=EPILOG,
            parents=[common],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    score = command("score", "score texts, or the rows of a file", SCORE)
    add = score.add_argument
    add("text", nargs="*", help="texts to score")
    add("--file", type=Path, help="a table, JSON, or one text per line; - reads standard input")
    add("--out", type=Path, help="file for the scored rows. Default: standard output, without a journal")
    columns = f"the only one, or one named {', '.join(LIKELY_COLUMNS[:-1])} or {LIKELY_COLUMNS[-1]}"
    add("--column", help=f"column or key with the text. Default: {columns}")
    found = "Default: found in the content"
    add("--format", choices=FORMATS, help=f"form of the file. {found}; text for .txt and standard input")
    add("--encoding", default=Layout.encoding, help=f"encoding of the file, such as cp1252. {found}")
    add("--delimiter", default=Layout.delimiter, help=f"character between the fields, read and written. {found}")
    add("--quote", default=Layout.quote, choices=(AUTO, *QUOTES), help=f"quotes of fields. {found}")
    header = f"whether the first line names the columns. {found}"
    add("--header", default=Layout.header, choices=HEADERS, help=header)
    add("--sheet", default=Layout.sheet, help="sheet of an Excel file. Default: the first one with rows")
    add("--prefix", default=Layout.prefix, help="prefix of the added columns' names")
    help_top_k = "add the N most probable classes, or all, with their probabilities"
    add("--top-k", type=_top_k, metavar="N|all", help=help_top_k)
    add("--json", action="store_true", help="write JSON Lines, whatever the input is")
    as_text = "put ' before cells that a spreadsheet would compute, such as =A1, in CSV. Default: %(default)s"
    add("--spreadsheet-safe", action=argparse.BooleanOptionalAction, default=True, help=as_text)
    at_once = f"requests at once, 1 to {MOST_IN_FLIGHT}. Default: %(default)s"
    add("--in-flight", type=int, default=4, metavar="N", help=at_once)
    health = command("health", "print the API's health")
    health.add_argument("--deep", action="store_true", help="ask the model too")
    command("model", "print the description of the serving model")
    return parser


def _top_k(value: str) -> TopK:
    if value == "all":
        return "all"
    if not value.isdecimal() or not 1 <= int(value) <= MOST_CLASSES:
        raise argparse.ArgumentTypeError(f"{value!r} is neither 1 to {MOST_CLASSES} nor all")
    return int(value)


def _client(arguments: argparse.Namespace) -> Client:
    if not arguments.url:
        raise UsageError("The API's URL is missing.", hint=f"Give --url, or set {URL}.")
    if arguments.api_key is not None:
        _say(f"Note: other users of this machine can see the key of --api-key. Set {KEY} instead.")
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
        raise UsageError("There is nothing to score, or too much.", hint="Give either texts or --file.")
    if arguments.text:
        return _score_texts(arguments, client)
    return _score_to_file(arguments, client, progress) if arguments.out else _score_to_stdout(arguments, client)


def _score_texts(arguments: argparse.Namespace, client: Client) -> int:
    if arguments.out:
        raise UsageError("--out is for --file.", hint="Redirect the output: text-classifier score … > file.")
    refused = 0
    writer = Writer(_stdout(), Layout(format="text", as_json=True))
    outcomes = client.score_all(arguments.text, in_flight=arguments.in_flight, top_k=arguments.top_k)
    for text, outcome in zip(arguments.text, outcomes, strict=True):
        refused += isinstance(outcome, Refusal)
        if arguments.json:
            writer.write(Row({"text": text}, text), outcome)
        else:
            print(shown(_line(outcome)))
    return SOME_REFUSED if refused else DONE


def _score_to_stdout(arguments: argparse.Namespace, client: Client) -> int:
    layout = _layout(arguments)
    refused = number = 0
    with _rows(arguments.file, layout) as source:
        writer = Writer(_stdout(), layout, source)
        rows, asked = tee(source)
        texts = (row.text for row in asked)
        outcomes = client.score_all(texts, in_flight=arguments.in_flight, top_k=arguments.top_k)
        try:
            for number, (row, outcome) in enumerate(zip(rows, outcomes, strict=False), start=1):  # noqa: B007
                refused += isinstance(outcome, Refusal)
                writer.write(row, outcome)
        finally:
            writer.flush()
    sys.stdout.flush()
    return _sum_up(number, refused, writer.marked, client)


def _score_to_file(arguments: argparse.Namespace, client: Client, progress: _Progress) -> int:
    if arguments.file == STDIN:
        raise UsageError(
            "Standard input can be read only once, and --out needs it again after an interruption.",
            hint="Score a file, or omit --out and redirect the output.",
        )
    with progress, logging_redirect_tqdm():
        summary = score_file(
            client,
            arguments.file,
            arguments.out,
            _layout(arguments),
            in_flight=arguments.in_flight,
            top_k=arguments.top_k,
            tell=progress.tell,
            say=_say,
        )
    code = _sum_up(summary.rows, summary.refused, summary.marked, client)
    _say(f"Model version {' and '.join(summary.model_versions) or '-'}. Written: {arguments.out}")
    return code


def _stdout() -> TextIO:
    return cast(TextIO, Terminal(sys.stdout)) if sys.stdout.isatty() else sys.stdout


def _sum_up(rows: int, refused: int, marked: int, client: Client) -> int:
    if marked:
        _say(f"Cells that begin as a formula does and have a ' before them: {marked}; --no-spreadsheet-safe omits it.")
    _say(f"{rows} rows: {rows - refused} scored, {refused} refused; {client.requests_sent} requests.")
    return SOME_REFUSED if refused else DONE


def _layout(arguments: argparse.Namespace) -> Layout:
    form = arguments.format or ("text" if arguments.file == STDIN else form_of(arguments.file))
    names = ("column", "encoding", "delimiter", "quote", "header", "sheet", "prefix")
    given = {name: getattr(arguments, name) for name in names}
    every = arguments.top_k == "all"
    return Layout(format=form, as_json=arguments.json, every_class=every, safe=arguments.spreadsheet_safe, **given)


@contextmanager
def _rows(file: Path, layout: Layout) -> Iterator[Rows]:
    if file == STDIN:
        with open_standard_input(sys.stdin.buffer, layout) as rows:
            yield rows
        return
    rows = open_rows(file, layout)
    for line in rows.read_as:
        _say(line)
    yield rows


def _line(outcome: Outcome) -> str:
    if isinstance(outcome, Refusal):
        return f"refused  {outcome}"
    score = "" if outcome.score is None else f"  score {outcome.score:.2f}"
    label = (
        outcome.label if outcome.labels is None else ", ".join(outcome.labels) or f"(no label; first {outcome.label})"
    )
    line = f"{label}  {outcome.confidence:.2f}{score}" + "  (its end was ignored)" * bool(outcome.truncated)
    return "\n".join([line, *(f"  {one.confidence:.2f}  {one.label}" for one in outcome.scores or ())])


class _Progress:
    """Shows a progress bar on a terminal; elsewhere it only reports where a run resumes."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self.state = ""
        """Progress of the run and how to resume it; empty before its start."""

    def tell(self, done: int, rows: int) -> None:
        """Show the progress of the run."""
        if self._bar is None:
            if done:
                _say(f"Resuming: {done} of {rows} rows are done.")
            self._bar = tqdm(total=rows, initial=done, unit=" rows", disable=None)
        self._bar.update(done - self._bar.n)
        self.state = f"{done} of {rows} rows are done.\nNext step: the same command resumes from there."

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def _fail(error: TextClassifierError, code: int) -> int:
    _say(f"Error: {error.message}\nNext step: {error.hint}")
    return code


def _say(text: str) -> None:
    print(shown(text), file=sys.stderr, flush=True)
