"""A file through the real API by a client that is killed again and again."""

from __future__ import annotations

import csv
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import killed_client
from contract_api import ContractApi

pytestmark = pytest.mark.e2e
BUNDLED_TEST = Path(__file__).resolve().parents[2] / "training_job" / "data" / "test.json"
IN_FLIGHT, TEXTS_A_REQUEST = 4, 100


def make_reviews(path: Path, rows: int) -> list[str]:
    """Write different texts, made of the bundled sentences, with an id before them; return them."""
    sentences = [json.loads(line)["sentence"] for line in BUNDLED_TEST.read_text(encoding="utf-8").splitlines()]
    texts = [f"{sentences[number % len(sentences)]} ({number})" for number in range(rows)]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "review"], *enumerate(texts)])
    return texts


@pytest.mark.parametrize(
    ("rows", "kills"), [(4_000, 3), pytest.param(20_000, 10, marks=pytest.mark.nightly(part="client"))]
)
def test_a_killed_client_ends_with_each_row_scored_exactly_once(
    project: Any, tmp_path: Path, tell: Callable[[str], None], rows: int, kills: int
) -> None:
    """Rows in the journal at the moment of a kill are never asked again; those asked twice were in flight then.

    A counting stop on the way to the API notes every text that is asked about.
    """
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # shown with a failure
    chance = random.Random(seed)
    source, out = tmp_path / "reviews.csv", tmp_path / "scored.csv"
    texts = make_reviews(source, rows)
    row_of = {text: row for row, text in enumerate(texts)}
    asked: Counter[str] = Counter()
    kept: set[int] = set()
    requests, resumed, started = 0, [], time.monotonic()
    with ContractApi(upstream=project.status["api_url"]) as api:
        for turn in range(kills + 1):
            api.asked.clear()
            process = killed_client.start(api.url, source, out, "--in-flight", str(IN_FLIGHT))
            if turn < kills:
                enough = chance.randint(1, rows // TEXTS_A_REQUEST // (kills + 2))
                killed_client.wait_for(lambda: len(api.asked) >= enough, process)  # noqa: B023
                time.sleep(chance.uniform(0, 0.3))
                code, said = killed_client.kill(process)
                assert code == killed_client.KILLED, said
                assert not out.exists()
            else:
                _, said = process.communicate(timeout=1200)
                assert process.returncode == 0, said
            time.sleep(0.2)  # requests of the killed process may still be on their way
            while api.now:
                time.sleep(0.01)
            in_this_run = [text for batch in api.asked for text in batch]
            assert not kept & {row_of[text] for text in in_this_run}, "a row that was kept is asked again"
            asked.update(in_this_run)
            requests += len(api.asked)
            if turn < kills:
                now = killed_client.kept_rows(out)
                assert len(in_this_run) - len(now - kept) <= IN_FLIGHT * TEXTS_A_REQUEST
                kept = now
                resumed.append(len(kept))
    with out.open(newline="", encoding="utf-8") as file:
        scored = list(csv.DictReader(file))
    assert [(row["id"], row["review"]) for row in scored] == [(str(n), text) for n, text in enumerate(texts)]
    assert all(row["label"] in ("helpful", "not_helpful") and not row["error"] for row in scored)
    assert set(asked) == set(texts)
    twice = sum(asked.values()) - rows
    assert twice <= kills * IN_FLIGHT * TEXTS_A_REQUEST
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reviews.csv", "scored.csv"]
    tell(
        f"seed {seed}: {kills} kills, resumed at rows {resumed}; {len(scored)} rows, each scored once; {requests} "
        f"requests; {twice} texts asked again, all in flight at a kill; {time.monotonic() - started:.0f} s"
    )


def test_evaluate_counts_through_the_same_client(project: Any) -> None:
    """`make evaluate` on the bundled test file has one prediction for each line."""
    project.make("evaluate", f"DATA={BUNDLED_TEST.parent}")
    figures = json.loads((project.folder / "evaluation.json").read_text())
    assert figures["rows"] == len(BUNDLED_TEST.read_text(encoding="utf-8").splitlines())
