"""Every combination of what a configuration can choose, synthesised, linted, and its rights judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from authorisation import problems
from conftest import ENVIRONMENTS, synthesised, templates_of
from template_values import TemplateValues
from test_authorisation import parliament_findings, unique

from tools.configurations import GUARDED, INSTANCES, ISOLATED, KEYED, SLIM

if TYPE_CHECKING:
    from conftest import Assemblies

pytestmark = pytest.mark.nightly(part="releases")

CHOICES: tuple[dict[str, dict[str, str]], ...] = (
    {"huggingface": {}, "slim": SLIM},
    {"serverless": {}, "instances": INSTANCES},
    {"internet": {}, "isolated": ISOLATED},
    {"aws-keys": {}, "own-key": KEYED},
    {"open": {}, "guarded": GUARDED},
)
"""Container, kind of endpoint, network of the training, keys, and what stands before the API."""


OUTSIDE = ("training.hub_token_secret", "training.tracking_uri")
"""What a job without internet does not reach."""


def combinations() -> dict[str, dict[str, Any]]:
    """Name of each combination -> its context. A job without internet asks nobody outside."""
    found = {}
    for env, *names in product(ENVIRONMENTS, *CHOICES):
        context = {
            key: value for name, choice in zip(names, CHOICES, strict=True) for key, value in choice[name].items()
        }
        if "isolated" in names:
            context = {key: value for key, value in context.items() if key not in OUTSIDE}
        found["-".join((env, *names))] = {"env": env, **context}
    return found


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Assemblies:
    """All combinations, synthesised in one process without a network; cdk-nag passes, or synthesis fails."""
    return synthesised(tmp_path_factory.mktemp("every") / "assemblies", combinations())


@pytest.fixture(scope="module")
def different(every: Assemblies) -> dict[str, dict[str, Any]]:
    """Each different template once, under the name of the first combination and stack that has it."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for name in combinations():
        for stack, template in templates_of(every, name).items():
            found.setdefault(json.dumps(template, sort_keys=True), (f"{name}/{stack}", template))
    return dict(found.values())


def test_every_combination_is_there(every: Assemblies) -> None:
    """96 combinations were synthesised, each with all of its stacks."""
    assert len(combinations()) == 96
    for name in combinations():
        assert len(templates_of(every, name)) == (7 if "slim" in name else 6)


def test_the_linter_finds_no_error(
    different: dict[str, dict[str, Any]], lint_errors: Callable[[dict[str, Any]], list[str]]
) -> None:
    """cfn-lint finds no error in any template of any combination."""
    found = {name: lint_errors(template) for name, template in different.items()}
    assert {name: errors for name, errors in found.items() if errors} == {}


def test_every_right_is_one_that_aws_knows(every: Assemblies) -> None:
    """In every combination each right passes AWS's reference and the linter of policies."""
    templates = {
        f"{name}/{stack}": TemplateValues(template, list(stacks.values()))
        for name in combinations()
        for stacks in [templates_of(every, name)]
        for stack, template in stacks.items()
    }
    statements = list(unique(templates))
    assert [(role, problem) for role, one in statements for problem in problems(one)] == []
    assert parliament_findings(statements) == []
