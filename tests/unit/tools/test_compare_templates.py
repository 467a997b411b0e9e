"""The comparison of templates: what counts as a difference, and what is only wording."""

from __future__ import annotations

import json
from typing import Any

from tools.compare_templates import differences, without_wording


def machine(comment: str, **state: Any) -> dict[str, Any]:
    """A resource whose definition is JSON in pieces, with a reference between them."""
    text = json.dumps({"Comment": comment, "States": {"Ask": {"Resource": "@", **state}}})
    before, after = text.split("@")
    return {"DefinitionString": {"Fn::Join": ["", [before, {"Fn::GetAtt": ["Function", "Arn"]}, after]]}}


def test_equal_templates_have_no_differences() -> None:
    """The order of members does not matter."""
    assert list(differences({"a": 1, "b": [1, {"c": 2}]}, {"b": [1, {"c": 2}], "a": 1})) == []


def test_each_difference_is_named_by_its_path() -> None:
    """Changed, new, and missing values are listed; so is a list of another length."""
    found = list(differences({"a": {"b": [1, 2]}, "c": 1, "l": [1]}, {"a": {"b": [1, 3]}, "d": 1, "l": []}))
    assert found == ["/a/b/1: 2 -> 3", '/c: 1 -> "nothing"', '/d: "nothing" -> 1', "/l: [1] -> []"]


def test_texts_for_people_are_set_aside() -> None:
    """A description may change anywhere; a value beside it may not."""
    before = {"R": {"Description": "old", "Metadata": {"reason": "old"}, "Size": 1}}
    after = {"R": {"Description": "new", "Size": 2}}
    assert list(differences(without_wording(before), without_wording(after))) == ["/R/Size: 1 -> 2"]


def test_documents_inside_strings_are_compared_as_data() -> None:
    """Comments and the order of members in a definition are set aside, a changed state is found."""
    before, reworded = machine("old", Next="Done", End=False), machine("new", End=False, Next="Done")
    assert list(differences(without_wording(before), without_wording(reworded))) == []
    (found,) = differences(without_wording(before), without_wording(machine("old", Next="Other", End=False)))
    assert found.startswith("/DefinitionString/States/Ask/Next")


def test_references_inside_documents_are_compared() -> None:
    """Another function in the same place is a difference."""
    other = json.loads(json.dumps(machine("old")).replace('"Function"', '"Other"'))
    assert len(list(differences(without_wording(machine("old")), without_wording(other)))) == 1


def test_text_that_only_looks_like_a_document_stays_as_it_is() -> None:
    """A string with a brace at its beginning need not be JSON."""
    assert without_wording({"Expression": "{% $x %}"}) == {"Expression": "{% $x %}"}
