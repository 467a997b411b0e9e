"""The comparison of templates: what counts as a difference, and what is only wording."""

from __future__ import annotations

import json
from typing import Any

from tools.compare_templates import without_wording


def machine(comment: str, **state: Any) -> dict[str, Any]:
    """A resource whose definition is JSON in pieces, with a reference between them."""
    text = json.dumps({"Comment": comment, "States": {"Ask": {"Resource": "@", **state}}})
    before, after = text.split("@")
    return {"DefinitionString": {"Fn::Join": ["", [before, {"Fn::GetAtt": ["Function", "Arn"]}, after]]}}


def test_texts_for_people_are_set_aside() -> None:
    """A description may change anywhere; a value beside it may not."""
    before = {"R": {"Description": "old", "Metadata": {"reason": "old"}, "Size": 1}}
    assert without_wording(before) == without_wording({"R": {"Description": "new", "Size": 1}}) == {"R": {"Size": 1}}


def test_documents_inside_strings_are_compared_as_data() -> None:
    """Comments and the order of members in a definition are set aside, a changed state is found."""
    before, reworded = machine("old", Next="Done", End=False), machine("new", End=False, Next="Done")
    assert without_wording(before) == without_wording(reworded)
    assert without_wording(before) != without_wording(machine("old", Next="Other", End=False))


def test_references_inside_documents_are_compared() -> None:
    """Another function in the same place is a difference."""
    other = json.loads(json.dumps(machine("old")).replace('"Function"', '"Other"'))
    assert without_wording(machine("old")) != without_wording(other)


def test_text_that_only_looks_like_a_document_stays_as_it_is() -> None:
    """A string with a brace at its beginning need not be JSON."""
    assert without_wording({"Expression": "{% $x %}"}) == {"Expression": "{% $x %}"}
