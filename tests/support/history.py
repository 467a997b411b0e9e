"""What a steady client saw while something broke, and whether it agrees with what was judged, approved and said.

The test notes what it does to the champion and what it is told; the client notes every answer. `violations` then looks
for contradictions in the whole history, as Jepsen does: the champion is a register, a release writes it, and every
answer and every message reads it.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple

import requests

OK = 200
TOLD_AGAIN_SECONDS = 5.0  # for so long the API tells again what the model said before
PAUSE_SECONDS = 1.0  # without an answer, before one may say that nothing answers
WORKERS = 10
CLIENT_SECONDS = 29  # the client's patience with one request

Row = tuple[str, float]  # a label and its probability
Evidence = dict[str, dict[str, Row]]  # by version and sentence


class Answer(NamedTuple):
    """One request: when it began and ended, its status (0: no answer), and with 200 who said what about the text."""

    began: float
    ended: float
    status: int
    text: str = ""
    version: str | None = None
    row: Row | None = None


class Change(NamedTuple):
    """A release from its start to its end: how often it may have switched (1: it succeeded; 2: also back)."""

    began: float
    ended: float
    target: str
    switches: int
    champion: str | None
    """The version that the stack names at its end; None: none may serve."""


class Message(NamedTuple):
    """What a command or a workflow said, between these times: the version that answers, or None for nothing."""

    began: float
    ended: float
    source: str
    version: str | None


class Package(NamedTuple):
    """What is known in the end about a version that was approved."""

    status: str
    """Approved, Rejected or PendingManualApproval; empty where it is no longer listed."""
    outcome: str
    """`released`, `failed`, or empty where no release has noted any."""
    reason: str
    """Why it was refused, or why its release ended without a note."""


@dataclass
class Stream:
    """What a steady client saw: one entry a request, in the order of their ends."""

    answers: list[Answer] = field(default_factory=list)

    @property
    def statuses(self) -> dict[int, int]:
        """HTTP status → how often; 0 stands for no answer at all."""
        return dict(Counter(answer.status for answer in self.answers))

    @property
    def versions(self) -> set[str | None]:
        """The model versions of the answers with status 200."""
        return {answer.version for answer in self.answers if answer.status == OK}

    @property
    def longest_gap(self) -> float:
        """Longest time in seconds without the end of an answer with 200, between the first and the last end."""
        ends = sorted(answer.ended for answer in self.answers)
        ends = [*ends[:1], *sorted(answer.ended for answer in self.answers if answer.status == OK), *ends[-1:]]
        return max((later - earlier for earlier, later in pairwise(ends)), default=0.0)

    def recovered_after(self, moment: float) -> float:
        """Seconds from a moment to the end of the last answer other than 200; 0 where there was none later."""
        return max([0.0, *(answer.ended - moment for answer in self.answers if answer.status != OK)])

    def wait_for(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until the client has seen something."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"the client saw {self.statuses} from {self.versions}"
            time.sleep(0.05)

    def wait_for_more(self, requests: int = 20) -> None:
        """Wait for the answers to so many more requests."""
        enough = len(self.answers) + requests
        self.wait_for(lambda: len(self.answers) >= enough)


@contextmanager
def asking(url: str, texts: Sequence[str], per_second: float) -> Iterator[Stream]:
    """While the block runs, one sentence after another is sent to the API at this rate, whatever the answers."""
    stream, done = Stream(), threading.Event()

    def ask(text: str, session: requests.Session) -> None:
        began = time.time()
        try:
            answer = session.post(f"{url}/v1/predictions", json={"inputs": text}, timeout=CLIENT_SECONDS)
            body = answer.json() if answer.status_code == OK else {}
        except requests.RequestException:
            stream.answers.append(Answer(began, time.time(), 0, text))
            return
        version = body.get("model", {}).get("version")
        row = row_of(body["predictions"][0]) if body else None
        stream.answers.append(Answer(began, time.time(), answer.status_code, text, version, row))

    def work(worker: int) -> None:
        # Every worker keeps its own pace, so that a slow answer delays a few requests and never all.
        with requests.Session() as session:
            next_one, number = time.monotonic() + worker / per_second, worker
            while not done.wait(max(0.0, next_one - time.monotonic())):
                ask(texts[number % len(texts)], session)
                number += WORKERS
                next_one = max(next_one + WORKERS / per_second, time.monotonic())

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    try:
        yield stream
    finally:
        done.set()
        for thread in threads:
            thread.join(timeout=CLIENT_SECONDS + 6)


def row_of(prediction: Mapping[str, Any]) -> Row:
    """The label of an API's answer or of a line of evidence, with its probability as the API rounds it."""
    return str(prediction["label"]), float(prediction["confidence"])


@dataclass
class History:
    """All that happened to one champion.

    Attributes:
        champion: the version that served before the first change; None for none.
        evidence: what each version answered when it was judged.
        approved: the versions that somebody approved.
        packages: in the end, what is known about each of them.
    """

    champion: str | None
    evidence: Evidence = field(default_factory=dict)
    stream: Stream = field(default_factory=Stream)
    changes: list[Change] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    approved: set[str] = field(default_factory=set)
    packages: dict[str, Package] = field(default_factory=dict)

    def violations(self) -> list[str]:
        """Return each contradiction in this history, in words; empty where everything agrees."""
        return [*self._two_champions(), *self._not_evidence(), *self._contradictions(), *self._lost()]

    def _two_champions(self) -> Iterator[str]:
        """Look at the champion as a register: no answer shows a value that it cannot have had then."""
        answered = [answer for answer in self.stream.answers if answer.status == OK]
        champion, since = self.champion, 0.0
        for began, ended, changes in _spans(self.changes):
            yield from _others(answered, since, began, champion)
            allowed = {champion, *(change.target for change in changes)}
            during = [answer for answer in answered if answer.began < ended and answer.ended > began]
            for version in sorted({str(answer.version) for answer in during} - {str(one) for one in allowed}):
                yield f"version {version} answered during a release from {champion} to {_targets(changes)}"
            most = sum(change.switches for change in changes)
            if (least := switches(during)) > most:
                yield f"answers changed at least {least} times during a release that switches at most {most} times"
            champion, since = changes[-1].champion, ended
        yield from _others(answered, since, float("inf"), champion)

    def _not_evidence(self) -> Iterator[str]:
        """Compare each answer with what its version answered to the same sentence when it was judged."""
        wrong = Counter(
            f"version {answer.version} answers {answer.row} to {answer.text[:40]!r}; judged was "
            f"{self.evidence.get(str(answer.version), {}).get(answer.text)}"
            for answer in self.stream.answers
            if answer.status == OK and answer.row != self.evidence.get(str(answer.version), {}).get(answer.text)
        )
        yield from wrong

    def _contradictions(self) -> Iterator[str]:
        """Compare each message with the answers that the client got at that time."""
        for message in self.messages:
            # Answers that overlap; one that was told again may be as old as that.
            since = message.began - TOLD_AGAIN_SECONDS
            near = [answer for answer in self.stream.answers if answer.ended > since and answer.began < message.ended]
            answered = Stream([answer for answer in near if answer.status == OK])
            if message.version is not None and near and message.version not in answered.versions:
                yield f"{message.source} says that version {message.version} answers; callers got {_counted(near)}"
            # Whoever waits gets an answer from a model that restarts; a question without patience gets none.
            if message.version is None and near == answered.answers != [] and answered.longest_gap < PAUSE_SECONDS:
                yield f"{message.source} says that nothing answers; callers got {_counted(near)}"

    def _lost(self) -> Iterator[str]:
        """Each approved version is listed, and released, refused with a reason, or waiting with one."""
        for version in sorted(self.approved):
            status, outcome, reason = self.packages.get(version, Package("", "", ""))
            if not status and not reason:
                yield f"version {version} was approved and is not listed"
            elif status == "PendingManualApproval":
                yield f"version {version} was approved and is pending again"
            elif outcome != "released" and not reason:
                yield f"version {version} was approved, is {status} and not released, and nobody says why"


def switches(answers: Iterable[Answer]) -> int:
    """Return how often a register must have changed, at the least, for these answers.

    It is the longest chain of answers of which each began after the one before had ended, with another version.
    """
    longest: dict[str | None, int] = {}
    under_way: list[tuple[float, str, int]] = []
    for answer in sorted(answers):
        while under_way and under_way[0][0] < answer.began:
            _, version, length = heapq.heappop(under_way)
            longest[version] = max(length, longest.get(version, 0))
        length = 1 + max((known for version, known in longest.items() if version != str(answer.version)), default=0)
        heapq.heappush(under_way, (answer.ended, str(answer.version), length))
    return max([*longest.values(), *(length for _, _, length in under_way)], default=1) - 1


def _spans(changes: Iterable[Change]) -> Iterator[tuple[float, float, list[Change]]]:
    """Yield the times in which a release was under way, with the releases; those that overlap share one."""
    spans: list[list[Change]] = []
    for change in sorted(changes):
        if spans and change.began <= max(each.ended for each in spans[-1]):
            spans[-1].append(change)
        else:
            spans.append([change])
    for together in spans:
        in_order = sorted(together, key=attrgetter("ended"))
        yield together[0].began, in_order[-1].ended, in_order


def _targets(changes: Iterable[Change]) -> str:
    return " and ".join(change.target for change in changes)


def _others(answered: Iterable[Answer], since: float, until: float, champion: str | None) -> Iterator[str]:
    """Yield the versions that answered between two times although another one was the champion."""
    between = (answer for answer in answered if answer.began >= since and answer.ended <= until)
    for version, count in Counter(answer.version for answer in between if answer.version != champion).items():
        yield f"version {version} answered {count} times while no release ran and {champion} was the champion"


def _counted(answers: Sequence[Answer]) -> str:
    seen = Counter((answer.status, answer.version) for answer in answers)
    return ", ".join(f"{count} x {status}" + (f" of {who}" if who else "") for (status, who), count in seen.items())
