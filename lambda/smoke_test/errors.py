"""The error tree of this package. Step Functions shows the class's name as the error and the message as its cause."""

from __future__ import annotations


class SmokeTestError(Exception):
    """Base of every error this package raises on purpose."""


class Misconfigured(SmokeTestError):
    """The function's environment ``variable`` is missing: a mistake of the deployment, not of the model."""

    def __init__(self, variable: str) -> None:
        super().__init__(f"environment variable {variable} is missing. The release stack sets it: deploy it again.")
        self.variable = variable


class PackageUnreadable(SmokeTestError):
    """The model package ``arn`` can't be looked up."""

    def __init__(self, arn: str, problem: str) -> None:
        super().__init__(f"model package {arn} {problem}.")
        self.arn = arn


class EvidenceUnreadable(SmokeTestError):
    """The evidence at ``uri`` is there but can't be used; ``missing`` tells that it is not there at all."""

    def __init__(self, uri: str, problem: str, *, missing: bool = False) -> None:
        super().__init__(f"{uri} {problem}.")
        self.uri = uri
        self.missing = missing


class EndpointUnusable(SmokeTestError):
    """The endpoint ``endpoint`` gave no answer; ``passing`` tells whether it may in a moment."""

    def __init__(self, endpoint: str, problem: str, *, passing: bool = False) -> None:
        super().__init__(f"endpoint {endpoint} {problem}")
        self.endpoint = endpoint
        self.problem = problem
        self.passing = passing


class WrongAnswers(SmokeTestError):
    """The endpoint answered, and not as it should: ``problems`` out of ``asked`` sentences, one text each."""

    def __init__(self, problems: list[str], asked: int) -> None:
        super().__init__(f"{len(problems)} of {asked} sentences were answered wrongly; the first: {problems[0]}")
        self.problems = problems
        self.asked = asked
