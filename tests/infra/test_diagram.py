"""The diagram of the documentation shows the templates as they are."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from conftest import STACKS

from tools import diagram


@pytest.fixture(scope="module")
def templates(assemblies: Any) -> dict[str, Any]:
    """The templates of `dev`."""
    return {stack: assemblies.template("dev", stack) for stack in STACKS}


def test_the_picture_is_current(templates: dict[str, Any]) -> None:
    """`make synth` would change nothing."""
    assert diagram.draw(templates) == diagram.FILE.read_text(encoding="utf-8")


def test_an_arrow_is_a_right_or_a_reference(templates: dict[str, Any]) -> None:
    """The API's function reaches the endpoint by a right on its name; without the right there is no arrow."""

    def arrows(given: dict[str, Any]) -> set[tuple[str, str]]:
        nodes, edges = diagram.graph(given)
        return {(" ".join(nodes[start]), " ".join(nodes[end])) for start, end in edges}

    invoked = ("predict Lambda function", "endpoint")
    found = arrows(templates)
    assert invoked in found
    assert ("REST API", "predict Lambda function") in found  # through its methods
    assert ("ingest Lambda function", "data bucket") in found  # through an export
    assert ("release EventBridge rule", "release state machine") in found
    assert not any(start == "endpoint" for start, _ in found)
    without = copy.deepcopy(templates)
    without["api"]["Resources"] = {
        key: one for key, one in without["api"]["Resources"].items() if one["Type"] != "AWS::IAM::Policy"
    }
    assert invoked not in arrows(without)
