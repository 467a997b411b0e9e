"""CloudFormation conditions: ``Fn::Join``, which ministack takes for a constant (CDK's bootstrap template uses it)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks


def install() -> None:
    """Resolve joins before ministack evaluates the conditions of a template."""
    evaluate = engine._evaluate_conditions

    def _evaluate_conditions(template: dict, params: dict) -> dict:
        conditions = template.get("Conditions")
        if conditions:
            template = {**template, "Conditions": without_joins(conditions, params)}
        return evaluate(template, params)

    for module in (engine, stacks, handlers, changesets, provisioners):
        if hasattr(module, "_evaluate_conditions"):
            module._evaluate_conditions = _evaluate_conditions


def without_joins(node: Any, params: Mapping[str, Mapping[str, Any]]) -> Any:
    """`node` with every ``Fn::Join`` of parameters and constants replaced by its string.

    `params`: resolved parameters, ``{name: {"Value": …}}``; a list parameter's value is one string with commas.
    """
    if isinstance(node, list):
        return [without_joins(item, params) for item in node]
    if not isinstance(node, dict):
        return node
    if "Fn::Join" not in node:
        return {key: without_joins(value, params) for key, value in node.items()}
    separator, parts = node["Fn::Join"]
    if isinstance(parts, dict):
        parts = str(_value(parts, params)).split(",")
    return separator.join(str(_value(without_joins(part, params), params)) for part in parts)


def _value(node: Any, params: Mapping[str, Mapping[str, Any]]) -> Any:
    if isinstance(node, dict) and node.get("Ref") in params:
        return params[node["Ref"]]["Value"]
    return node
