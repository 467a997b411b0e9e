"""The client as a process: killed at any moment, interrupted, piped, installed, and as its README shows it."""

from __future__ import annotations

import csv
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import killed_client
from contract_api import RESET, ContractApi, Fault, prediction
from installed_client import install

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "client"
END = 250
"""Executed lines, about, in which the output is checked, named and the journal deleted."""
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def make_input(path: Path, rows: int) -> list[str]:
    """A CSV file of different texts."""
    texts = [f"text {number}" for number in range(rows)]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "text"], *enumerate(texts)])
    return texts


def scored(out: Path) -> list[tuple[str, float]]:
    """Text and score of every row."""
    with out.open(newline="", encoding="utf-8") as file:
        return [(row["text"], float(row["score"])) for row in csv.DictReader(file)]


def expected(texts: list[str]) -> list[tuple[str, float]]:
    """What the contract server says about them."""
    return [(text, prediction(text)["score"]) for text in texts]


def settle(api: ContractApi) -> None:
    """Wait until the requests of a process that was killed are over; the last may be on their way to the server."""
    time.sleep(0.1)
    while api.now:
        time.sleep(0.005)


NIGHTLY = pytest.mark.nightly(part="client")


@pytest.mark.parametrize(
    ("in_flight", "rows", "kills"),
    [
        (1, 2_500, 2),
        (4, 6_000, 4),
        pytest.param(1, 16_000, 10, marks=NIGHTLY),
        pytest.param(4, 16_000, 10, marks=NIGHTLY),
    ],
)
def test_killed_at_random_moments_by_a_bad_day_of_the_api(
    tmp_path: Path, tell: Callable[[str], None], in_flight: int, rows: int, kills: int
) -> None:
    """429 and 503 with Retry-After, resets, slow answers and kills: each row once, kept rows never asked again."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # shown with a failure
    chance = random.Random(seed)
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    texts = make_input(source, rows)

    def bad_day(number: int, asked: list[str]) -> Fault | None:
        time.sleep(chance.uniform(0, 0.05))
        return (
            chance.choice([Fault(429, retry_after="1"), Fault(503), Fault(502), RESET])
            if chance.random() < 0.1
            else None
        )

    kept: set[int] = set()
    asked_again, resumed, requests = 0, [], 0
    with ContractApi(bad_day) as api:
        for turn in range(kills + 1):
            api.asked.clear()
            api.answered.clear()
            process = killed_client.start(api.url, source, out, "--in-flight", str(in_flight))
            if turn < kills:
                enough = chance.randint(0, 14)
                killed_client.wait_for(lambda: len(api.asked) >= enough, process)  # noqa: B023
                time.sleep(chance.uniform(0, 0.1))
                code, said = killed_client.kill(process)
                assert code == killed_client.KILLED, (seed, said)
            else:
                _, said = process.communicate(timeout=300)
                assert process.returncode == 0, (seed, said)
            settle(api)
            requests += len(api.asked)
            assert not {texts[row] for row in kept} & {text for batch in api.asked for text in batch}, seed
            if turn < kills:
                assert not out.exists()
                now = killed_client.kept_rows(out)
                lost = sum(api.answered.values()) - len(now - kept)
                assert 0 <= lost <= in_flight * 100, seed
                asked_again += lost
                kept = now
                resumed.append(len(kept))
    assert scored(out) == expected(texts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]
    tell(
        f"seed {seed}, {in_flight} in flight: killed {kills} times, resumed at {resumed}; {rows} rows, each scored "
        f"once; {requests} requests; {asked_again} answers lost with their process"
    )


@pytest.mark.parametrize(("before", "at_the_end"), [(8, 16), pytest.param(25, 50, marks=NIGHTLY)])
def test_killed_at_any_line_of_its_code(
    tmp_path: Path, tell: Callable[[str], None], before: int, at_the_end: int
) -> None:
    """From the first line to the last one, those that publish the output included.

    A child that is killed before the end is followed by one that isn't: nothing is lost, doubled or left behind.
    """
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # shown with a failure
    chance = random.Random(seed)
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    texts = make_input(source, 12)
    with ContractApi() as api:
        environment = os.environ | {"PYTHONPATH": str(CLIENT), "TEXT_CLASSIFIER_URL": api.url}
        command = [
            sys.executable,
            str(ROOT / "tests" / "support" / "killed_at_line.py"),
            "score",
            "--file",
            str(source),
            "--out",
            str(out),
            "--in-flight",
            "2",
        ]
        with subprocess.Popen(
            command,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as driver:
            assert driver.stdin and driver.stdout

            def run(line: int) -> list[str]:
                assert driver.stdin and driver.stdout
                print(line, file=driver.stdin, flush=True)
                return driver.stdout.readline().split()

            code, lines = run(10**9)
            assert code == "0"
            last = int(lines)
            early, late = range(last - END), range(last - END, last)
            for line in [*chance.sample(early, before), *sorted(chance.sample(late, at_the_end))]:
                out.unlink(missing_ok=True)
                assert run(line)[0] in ("-9", "0"), (seed, line)
                settle(api)
                kept = killed_client.kept_rows(out)
                finished = out.exists()
                assert not finished or scored(out) == expected(texts)
                api.asked.clear()
                for _ in range(1 if not finished or out.with_name("out.csv.journal").exists() else 0):
                    assert run(10**9)[0] == "0", (seed, line)
                asked = {text for batch in api.asked for text in batch}
                assert asked == ({texts[row] for row in range(12) if row not in kept} if not finished else set())
                assert scored(out) == expected(texts)
                assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"], (seed, line)
            driver.stdin.close()
    tell(f"seed {seed}: killed at {before + at_the_end} of {last} lines")


def test_ctrl_c_ends_at_once_and_says_how_to_go_on(tmp_path: Path) -> None:
    """With requests in flight that would take much longer."""
    make_input(tmp_path / "in.csv", 1000)
    with ContractApi(seconds=0.2) as api:
        process = killed_client.start(api.url, tmp_path / "in.csv", tmp_path / "out.csv")
        killed_client.wait_for(lambda: len(api.asked) > 5, process)
        api.seconds = 20
        killed_client.wait_for(lambda: len(api.asked) > 9, process)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=15)
    assert (process.returncode, time.monotonic() - started < 10) == (130, True), said
    assert "of 1000 rows are done.\nNext step: the same command resumes from there." in said
    assert "Traceback" not in said


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`pip install ./client` in an environment of its own; its `bin` folder."""
    folder = tmp_path_factory.mktemp("installed")
    shutil.copytree(CLIENT, folder / "client", ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    return install(folder / "client", folder)


def test_the_installed_command_scores(installed: Path, tmp_path: Path) -> None:
    """The console script and the typed package come with the wheel, under its own version."""
    with ContractApi() as api:
        done = subprocess.run(
            [installed / "text-classifier", "score", "--url", api.url, "a text"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert api.headers[0]["User-Agent"] == "text-classifier-client/0.1.0"
    code = "import text_classifier; print(text_classifier.__path__[0])"
    found = subprocess.run([installed / "python", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.startswith(str(installed.parent.parent))
    assert (Path(found.stdout.strip()) / "py.typed").exists()


def test_whoever_reads_the_output_may_stop(installed: Path, tmp_path: Path) -> None:
    """`| head -1` ends it without a stack trace."""
    make_input(tmp_path / "in.csv", 20_000)
    with ContractApi() as api:
        line = f"{installed}/text-classifier score --url {api.url} --file in.csv | head -1"
        done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "id,text,label,confidence,score,truncated,model_version,error"
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_the_readmes_examples_work(installed: Path, tmp_path: Path) -> None:
    """Every bash and Python block, in order, in one folder, against an API that asks for the key they name."""
    text = (CLIENT / "README.md").read_text(encoding="utf-8")
    with ContractApi(api_key="the-key") as api:
        environment = os.environ | {
            "PATH": f"{installed}{os.pathsep}{os.environ['PATH']}",
            "TEXT_CLASSIFIER_URL": api.url,
            "TEXT_CLASSIFIER_API_KEY": "the-key",
        }
        blocks = [(language, body) for language, body in FENCE.findall(text) if language in ("bash", "python")]
        for language, body in blocks:
            lines = [line for line in body.splitlines() if not line.startswith(("pip install", "export "))]
            program = ["bash", "-euo", "pipefail", "-c"] if language == "bash" else [str(installed / "python"), "-c"]
            done = subprocess.run(
                [*program, "\n".join(lines)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, f"{shlex.join(program)}\n{body}\n{done.stdout}{done.stderr}"
    assert len(blocks) >= 4
    assert (tmp_path / "scored.csv").exists()
