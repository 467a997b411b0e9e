"""text_classifier.journal: what is kept of a run, and which run may go on with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from text_classifier import FileError, Outcome, Prediction, Refusal, Score
from text_classifier.journal import Journal

RUN = {"input": "hash", "url": "http://host"}
GOOD = Prediction("helpful", 0.1 + 0.2, 1.5, False, "3")
OUTCOMES: list[Outcome] = [
    GOOD,
    Prediction("a", 1.0, None, None, None),
    Prediction("b", 0.0, 0.0, True, "x"),
    Refusal("empty", "nothing there"),
    Prediction("joy", 0.9, None, False, "3", ("joy", "l|ve"), (Score("joy", 0.9), Score("l|ve", 0.1 + 0.2))),
    Prediction("joy", 0.1, None, False, "3", ()),
]


def test_outcomes_come_back_as_they_were_in_the_order_of_the_rows(tmp_path: Path) -> None:
    """Whatever order they were kept in, and to the last digit."""
    with Journal(tmp_path / "j", RUN) as journal:
        journal.add([(3, OUTCOMES[3]), (2, OUTCOMES[2])])
        journal.add([(place, OUTCOMES[place]) for place in (0, 1, 5, 4)])
    with Journal(tmp_path / "j", RUN) as journal:
        assert list(journal.outcomes()) == list(enumerate(OUTCOMES))
        assert (journal.done, journal.summary()) == (6, (1, ["3", "x"]))


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(0, 40), done=st.sets(st.integers(0, 39)))
def test_pending_rows_are_exactly_those_without_an_outcome(
    tmp_path_factory: pytest.TempPathFactory, rows: int, done: set[int]
) -> None:
    """As ranges in order, none of them empty."""
    done = {row for row in done if row < rows}
    with Journal(tmp_path_factory.mktemp("j") / "j", RUN) as journal:
        journal.add((row, GOOD) for row in done)
        pending = journal.pending(rows)
    assert [row for span in pending for row in span] == [row for row in range(rows) if row not in done]
    assert all(pending)


def test_a_row_cannot_have_two_outcomes_and_a_batch_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    """The database itself refuses the second one, and what came with it."""
    with Journal(tmp_path / "j", RUN) as journal:
        journal.add([(5, GOOD)])
        with pytest.raises(OSError, match="UNIQUE"):
            journal.add([(4, GOOD), (5, GOOD)])
        assert list(journal.outcomes()) == [(5, GOOD)]


def test_another_run_does_not_go_on_with_it(tmp_path: Path) -> None:
    """The message names what differs."""
    Journal(tmp_path / "j", RUN).close()
    with pytest.raises(FileError) as caught:
        Journal(tmp_path / "j", RUN | {"input": "changed", "column": "review"})
    assert "another column and input" in caught.value.message
    assert "Delete" in caught.value.hint
    Journal(tmp_path / "j", RUN).close()


def test_two_processes_do_not_share_it(tmp_path: Path) -> None:
    """The second one is told, at once."""
    with Journal(tmp_path / "j", RUN), pytest.raises(FileError) as caught:
        Journal(tmp_path / "j", RUN)
    assert "in use" in caught.value.message


def other_database(path: Path) -> None:
    """A database of some other program."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE customers (name TEXT)")
    database.close()


@pytest.mark.parametrize("make", [other_database, lambda path: path.write_text("Dear diary, today " * 10)])
def test_somebody_elses_file_is_left_alone(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Neither a database of another program nor any other file is written to."""
    make(tmp_path / "j")
    before = (tmp_path / "j").read_bytes()
    with pytest.raises(FileError) as caught:
        Journal(tmp_path / "j", RUN)
    assert "no journal" in caught.value.message
    assert (tmp_path / "j").read_bytes() == before


def test_a_journal_that_was_killed_before_it_began_is_begun_again(tmp_path: Path) -> None:
    """An empty file is what such a moment leaves."""
    (tmp_path / "j").touch()
    with Journal(tmp_path / "j", RUN) as journal:
        assert (journal.done, journal.pending(3)) == (0, [range(3)])


def test_a_place_that_cannot_be_written_is_an_error_of_the_disk(tmp_path: Path) -> None:
    """Not of SQLite, of which the caller knows nothing."""
    with pytest.raises(OSError, match="unable to open"):
        Journal(tmp_path / "missing" / "j", RUN)


def test_deleting_leaves_nothing(tmp_path: Path) -> None:
    """No file of SQLite's own either."""
    journal = Journal(tmp_path / "j", RUN)
    journal.add([(0, GOOD)])
    journal.published = "digest"
    assert journal.published == "digest"
    journal.delete()
    assert list(tmp_path.iterdir()) == []
