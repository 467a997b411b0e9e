"""text_classifier.file_run: a file scored over several runs, and what it refuses to touch."""

from __future__ import annotations

import csv
import io
import json
import random
import sqlite3
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.adapters import BaseAdapter

from contract_api import ContractApi, Fault, prediction
from text_classifier import ApiError, Client, FileError, Limits, RequestRefusedError
from text_classifier.file_run import Summary, score_file
from text_classifier.journal import Journal
from text_classifier.tables import Layout

NewClient = Callable[..., Client]
CSV = Layout(format="csv")
SMALL = Limits(texts=5)


def make_input(folder: Path, texts: Iterable[str]) -> Path:
    """A CSV file with an id and these texts."""
    with (folder / "in.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "text"], *enumerate(texts)])
    return folder / "in.csv"


def rows_of(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def files(folder: Path) -> list[str]:
    """Names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_scored_row_by_row(tmp_path: Path, new_client: NewClient) -> None:
    """Every row in its place, refused ones with their error; nothing but input and output is left."""
    texts = [f"text {number}" for number in range(23)] + ["", "REFUSED", "last"]
    source, told = make_input(tmp_path, texts), []
    with ContractApi() as api:
        summary = score_file(
            new_client(api, limits=SMALL),
            source,
            tmp_path / "out.csv",
            CSV,
            in_flight=3,
            tell=lambda done, rows: told.append((done, rows)),
        )
    assert summary == Summary(rows=26, refused=2, model_versions=["7"])
    found = rows_of(tmp_path / "out.csv")
    assert [(row["id"], row["text"]) for row in found] == [(str(n), text) for n, text in enumerate(texts)]
    assert all(float(row["score"]) == prediction(row["text"])["score"] for row in found if not row["error"])
    assert [row["error"].split(":")[0] for row in found if row["error"]] == ["empty", "bad_request"]
    assert (told[0], told[-1]) == ((0, 26), (26, 26))
    assert files(tmp_path) == ["in.csv", "out.csv"]


class Killed(BaseException):
    """Stands in for the end of the process."""


@settings(max_examples=25, deadline=None)
@given(data=st.data(), rows=st.integers(1, 60), in_flight=st.integers(1, 4))
def test_no_row_that_was_kept_is_asked_again(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, rows: int, in_flight: int
) -> None:
    """Ended at any request, any number of times, by an error of the API or by force: the output is the same.

    After each run, the rows in the journal are never asked about again; those asked about for nothing are at most the
    rows of the requests in flight.
    """
    folder = tmp_path_factory.mktemp("run")
    texts = [f"text {number}" for number in range(rows)]
    source, out, journal = make_input(folder, texts), folder / "out.csv", folder / "out.csv.journal"
    ends = data.draw(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=4))
    kept: set[str] = set()
    with ContractApi() as api:
        for end in [*ends, None]:
            api.asked.clear()
            client = Client(api.url, limits=SMALL)
            try:
                score_file(client, source, out, CSV, in_flight=in_flight, tell=_ending(api, end))
            except (Killed, RequestRefusedError):
                assert not out.exists()
            while any(thread.name.startswith("text-classifier") for thread in threading.enumerate()):
                time.sleep(0.001)  # an exception kills no threads: their last requests go on
            asked = [text for batch in api.asked for text in batch]
            assert not kept & set(asked)
            assert len(asked) == len(set(asked))
            if out.exists():
                break
            now = _kept(journal, texts)
            assert len(asked) - len(now - kept) <= in_flight * SMALL.texts
            kept = now
    assert [(row["text"], float(row["score"])) for row in rows_of(out)] == [
        (text, prediction(text)["score"]) for text in texts
    ]


def _ending(api: ContractApi, end: tuple[int, bool] | None) -> Callable[[int, int], None]:
    """What ends a run after some requests: the API's refusal, or the process's death between two requests."""
    requests, by_force = end or (1000, True)
    told = iter(range(1000))
    api.fault = lambda number, texts: None if by_force or number < requests else Fault(500)

    def tell(done: int, rows: int) -> None:
        if next(told) == requests and by_force and done < rows:
            raise Killed

    return tell


def _kept(journal: Path, texts: list[str]) -> set[str]:
    """Texts that have an outcome in a journal that nobody holds."""
    with closing(sqlite3.connect(journal)) as database:
        return {texts[row] for (row,) in database.execute("SELECT row FROM outcomes")}


def test_an_output_that_exists_is_not_touched(tmp_path: Path, new_client: NewClient) -> None:
    """Be it a file of somebody's, a link to nowhere, or the input itself; and nothing is asked."""
    source = make_input(tmp_path, ["a"])
    (tmp_path / "out.csv").write_text("precious")
    (tmp_path / "link.csv").symlink_to(tmp_path / "nowhere")
    client = new_client("http://127.0.0.1:1")
    for name in ("out.csv", "link.csv", "in.csv"):
        with pytest.raises(FileError, match="exists"):
            score_file(client, source, tmp_path / name, CSV, in_flight=1)
    assert (tmp_path / "out.csv").read_text() == "precious"
    assert files(tmp_path) == ["in.csv", "link.csv", "out.csv"]


def test_an_output_that_appeared_meanwhile_is_not_touched(tmp_path: Path, new_client: NewClient) -> None:
    """The scored rows stay in the journal: once the other file is moved away, no row is asked again."""
    source, out = make_input(tmp_path, ["a", "b"]), tmp_path / "out.csv"
    with ContractApi() as api:
        with pytest.raises(FileError, match="exists"):
            score_file(
                new_client(api),
                source,
                out,
                CSV,
                in_flight=1,
                tell=lambda done, rows: out.write_text("precious") and None,
            )
        assert out.read_text() == "precious"
        out.unlink()
        score_file(new_client(api), source, out, CSV, in_flight=1)
        assert len(api.asked) == 1
    assert len(rows_of(out)) == 2


def interrupt(source: Path, out: Path, client: Client, layout: Layout = CSV) -> None:
    """A run that ends after its first request."""
    with pytest.raises(Killed):
        score_file(client, source, out, layout, in_flight=1, tell=_raise_when_some)


def _raise_when_some(done: int, rows: int) -> None:
    if done:
        raise Killed


def test_a_changed_input_is_not_gone_on_with(tmp_path: Path, new_client: NewClient) -> None:
    """Rows of two files would be mixed. With the former content back, it goes on."""
    source, out = make_input(tmp_path, map(str, range(20))), tmp_path / "out.csv"
    before = source.read_bytes()
    with ContractApi() as api:
        client = new_client(api, limits=SMALL)
        interrupt(source, out, client)
        source.write_bytes(before.replace(b"19", b"20"))
        with pytest.raises(FileError, match="another input"):
            score_file(client, source, out, CSV, in_flight=1)
        source.write_bytes(before)
        score_file(client, source, out, CSV, in_flight=1)
        assert len(api.asked) == 4


@pytest.mark.parametrize(("change", "word"), [({"column": "id"}, "column"), ({"format": "text"}, "format")])
def test_other_settings_are_not_gone_on_with(
    tmp_path: Path, new_client: NewClient, change: dict[str, Any], word: str
) -> None:
    """Those that decide what is scored; how the output is written may change."""
    source, out = make_input(tmp_path, map(str, range(20))), tmp_path / "out.csv"
    with ContractApi() as api:
        client = new_client(api, limits=SMALL)
        interrupt(source, out, client)
        with pytest.raises(FileError, match=f"another .*{word}"):
            score_file(client, source, out, Layout(**({"format": "csv", "column": "text"} | change)), in_flight=1)
        score_file(client, source, out, Layout(format="csv", prefix="x_", as_json=True), in_flight=1)
    assert json.loads(out.read_text().splitlines()[0])["x_label"]


def test_another_api_does_not_go_on_with_it(tmp_path: Path, new_client: NewClient) -> None:
    """Answers of two APIs would be mixed."""
    source, out = make_input(tmp_path, map(str, range(20))), tmp_path / "out.csv"
    with ContractApi() as api, ContractApi() as other:
        interrupt(source, out, new_client(api, limits=SMALL))
        with pytest.raises(FileError, match="another url"):
            score_file(new_client(other), source, out, CSV, in_flight=1)
        assert other.asked == []


def test_an_input_that_changes_while_it_is_scored_gives_no_output(tmp_path: Path, new_client: NewClient) -> None:
    """The answers would stand beside rows that they were not about."""
    source, out = make_input(tmp_path, ["a", "b"]), tmp_path / "out.csv"
    with ContractApi() as api, pytest.raises(FileError, match="changed while"):
        score_file(
            new_client(api),
            source,
            out,
            CSV,
            in_flight=1,
            tell=lambda done, rows: source.write_text("id,text\n0,other\n1,rows\n") and None,
        )
    assert not out.exists()


@pytest.mark.parametrize("content", ["", "id,text\n"])
def test_a_file_without_rows_is_refused(tmp_path: Path, new_client: NewClient, content: str) -> None:
    """It is more often the wrong file than a day without reviews."""
    (tmp_path / "in.csv").write_text(content)
    with pytest.raises(FileError, match=r"no rows|is empty"):
        score_file(new_client("http://127.0.0.1:1"), tmp_path / "in.csv", tmp_path / "out.csv", CSV, in_flight=1)
    assert files(tmp_path) == ["in.csv"]


def test_a_broken_line_is_written_with_its_error(tmp_path: Path, new_client: NewClient) -> None:
    """It is not sent; all others are."""
    source = make_input(tmp_path, map(str, range(30)))
    source.write_text(source.read_text() + "30,one,too many\n31,last\n")
    with ContractApi() as api:
        summary = score_file(new_client(api), source, tmp_path / "out.csv", CSV, in_flight=1)
        assert sorted(api.answered) == sorted([*map(str, range(30)), "last"])
    assert (summary.rows, summary.refused) == (32, 1)
    found = rows_of(tmp_path / "out.csv")
    assert [row["error"] for row in found if row["error"]] == ["malformed: Line 32: 3 fields, the header has 2."]
    assert (found[30]["id"], found[31]["label"]) == ("30", prediction("last")["label"])


def test_a_run_that_died_between_its_last_two_steps_is_over(
    tmp_path: Path, new_client: NewClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output has its name and the journal is still there: the next call only tidies up."""
    source, out = make_input(tmp_path, ["a"]), tmp_path / "out.csv"

    def die(self: Journal) -> None:
        raise Killed

    with ContractApi() as api:
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(Journal, "delete", die)
            score_file(new_client(api), source, out, CSV, in_flight=1)
        assert files(tmp_path) == ["in.csv", "out.csv", "out.csv.journal"]
        assert score_file(new_client(api), source, out, CSV, in_flight=1) == Summary(1, 0, ["7"])
        assert len(api.asked) == 1
    assert files(tmp_path) == ["in.csv", "out.csv"]


def test_a_failing_api_leaves_everything_to_go_on_with(tmp_path: Path, new_client: NewClient) -> None:
    """No output yet, a journal, and the next call asks for the rest only."""
    texts = [f"text {number}" for number in range(50)]
    source, out = make_input(tmp_path, texts), tmp_path / "out.csv"
    with ContractApi(lambda number, texts: Fault(500) if number == 3 else None) as api:
        with pytest.raises(ApiError):
            score_file(new_client(api, limits=SMALL), source, out, CSV, in_flight=1)
        assert files(tmp_path) == ["in.csv", "out.csv.journal"]
        score_file(new_client(api, limits=SMALL), source, out, CSV, in_flight=2)
        assert api.answered == Counter(texts)
    assert len(rows_of(out)) == 50


def test_half_a_surrogate_pair_passes_through_json(tmp_path: Path, new_client: NewClient) -> None:
    """Refused as a text, written as the escape that it was read from."""
    (tmp_path / "in.jsonl").write_text('{"text": "\\ud800"}\n{"text": "Größe", "n": 1.5}\n', encoding="utf-8")
    with ContractApi() as api:
        summary = score_file(
            new_client(api), tmp_path / "in.jsonl", tmp_path / "out.jsonl", Layout(format="jsonl"), in_flight=1
        )
    first, second = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert (summary.refused, first["text"], first["error"].split(":")[0]) == (1, "\ud800", "not_unicode")
    assert (second["text"], second["n"], second["error"]) == ("Größe", 1.5, None)


class Answers(BaseAdapter):
    """Plays the API without a network: everything is labelled alike."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        texts = json.loads(request.body or "")["inputs"]
        answer = requests.Response()
        answer.status_code = 200
        answer.raw = io.BytesIO(
            json.dumps({"predictions": [prediction("a")] * len(texts), "model": {"version": "1"}}).encode()
        )
        return answer

    def close(self) -> None:
        """Nothing is open."""


def test_a_long_file_is_not_held_in_memory(tmp_path: Path) -> None:
    """Five times as many rows need no more of it."""
    session = requests.Session()
    session.mount("http://", Answers())
    peaks = []
    for rows in (1_000, 5_000):
        folder = tmp_path / str(rows)
        folder.mkdir()
        source = make_input(folder, (f"{random.Random(number).random()} {'text ' * 20}" for number in range(rows)))
        tracemalloc.start()
        score_file(Client("http://127.0.0.1:1", session=session), source, folder / "out.csv", CSV, in_flight=1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5, peaks
