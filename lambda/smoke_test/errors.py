"""The errors of this function."""

from __future__ import annotations

from shared.errors import FunctionError


class PackageUnreadableError(FunctionError):
    """The model package cannot be looked up."""


class EvidenceUnreadableError(FunctionError):
    """The evidence cannot be used; `missing` says whether it does not exist at all."""

    def __init__(self, uri: str, problem: str, *, missing: bool = False) -> None:
        super().__init__(f"{uri} {problem}.")
        self.missing = missing


class EndpointUnusableError(FunctionError):
    """The endpoint gave no usable answer; `retryable` says whether it may give one soon."""

    def __init__(self, endpoint: str, problem: str, *, retryable: bool = False) -> None:
        super().__init__(f"endpoint {endpoint} {problem}")
        self.problem = problem
        self.retryable = retryable


class WrongAnswersError(FunctionError):
    """The endpoint answered otherwise than it should: `problems` has a text for each wrong answer."""

    def __init__(self, problems: list[str], asked: int) -> None:
        super().__init__(f"{len(problems)} of {asked} sentences were answered wrongly; the first: {problems[0]}")
        self.problems = problems
