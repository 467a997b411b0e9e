"""A strict little IAM: what the identity policies of a role allow, with everything it doesn't know an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from template_values import TemplateValues

Statement = dict[str, Any]


@dataclass(frozen=True)
class Need:
    """One thing that a role must be allowed.

    Attributes:
        action: such as ``sagemaker:CreateModel``.
        resource: a concrete ARN.
        context: condition keys of the request.
    """

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def statements_of(values: TemplateValues, role_arn: Any) -> list[Statement]:
    """The statements of a role of the template, references resolved; `role_arn` as some property gives it."""
    arn = values.resolve(role_arn)
    resources = values.template["Resources"].items()
    (role,) = [
        key
        for key, resource in resources
        if resource["Type"] == "AWS::IAM::Role" and values.resolve({"Fn::GetAtt": [key, "Arn"]}) == arn
    ]
    properties = values.template["Resources"][role]["Properties"]
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [
        resource["Properties"]["PolicyDocument"]
        for _, resource in resources
        if resource["Type"] == "AWS::IAM::Policy" and {"Ref": role} in resource["Properties"]["Roles"]
    ]
    return [values.resolve(statement) for document in documents for statement in document["Statement"]]


def missing(statements: list[Statement], needs: list[Need]) -> list[Need]:
    """The needs that the statements don't allow."""
    return [need for need in needs if not allows(statements, need)]


def allows(statements: list[Statement], need: Need) -> bool:
    """Whether a statement allows it and none denies it."""
    effects = {statement["Effect"] for statement in statements if _applies(statement, need)}
    return "Allow" in effects and "Deny" not in effects


def _applies(statement: Statement, need: Need) -> bool:
    unknown = set(statement) - {"Effect", "Action", "Resource", "Condition", "Sid"}
    if unknown:
        raise KeyError(f"the evaluator doesn't know {sorted(unknown)}")
    return (
        any(_like(action, need.action) for action in _as_list(statement["Action"]))
        and any(_like(resource, need.resource) for resource in _as_list(statement["Resource"]))
        and all(
            _holds(operator, key, _as_list(wanted), need.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(operator: str, key: str, wanted: list[str], context: Mapping[str, str]) -> bool:
    value = context.get(key)
    if operator not in ("StringEquals", "StringLike"):
        raise KeyError(f"the evaluator doesn't know the operator {operator}")
    if value is None:
        return False
    return value in wanted if operator == "StringEquals" else any(_like(pattern, value) for pattern in wanted)


def _like(pattern: str, value: str) -> bool:
    parts = ({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch("".join(parts), value) is not None


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
