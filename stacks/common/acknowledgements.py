"""Accepting a cdk-nag finding, one at a time and with the reason beside the resource.

cdk-nag names every single finding (``AwsSolutions-IAM5[Resource::*]``); there is no way here to accept a whole rule.
The reason ends up in the template, in the metadata of the resource it is about.
"""

from __future__ import annotations

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct


def accept(construct: IConstruct, finding: str, reason: str) -> None:
    """Accept one finding on a construct and what is inside it.

    Args:
        construct: where the finding was made.
        finding: rule with, where the rule makes several, the finding in brackets.
        reason: why it is right here; goes into the template.
    """
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))


def accept_wildcard(construct: IConstruct, resource: str, reason: str) -> None:
    """Accept a ``*`` in the resource of an IAM statement.

    Args:
        construct: the role or policy.
        resource: the very string given to the statement, tokens included.
        reason: why nothing narrower will do.
    """
    accept(construct, f"AwsSolutions-IAM5[Resource::{_as_nag_writes_it(construct, resource)}]", reason)


def _as_nag_writes_it(construct: IConstruct, value: str) -> str:
    """The form in which cdk-nag names a resource: joined, with references as ``<LogicalId.Attribute>``."""
    return _flatten(Stack.of(construct).resolve(value))


def _flatten(value: object) -> str:
    if not isinstance(value, dict):
        return str(value)
    ((function, argument),) = value.items()
    if function == "Fn::Join":
        separator, parts = argument
        return separator.join(_flatten(part) for part in parts)
    if function == "Fn::GetAtt":
        return f"<{'.'.join(argument)}>"
    if function == "Fn::ImportValue":
        return _flatten(argument)
    return f"<{_flatten(argument)}>"
