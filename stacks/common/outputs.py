"""Outputs of the stack that a component belongs to."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import CfnOutput, Stack
from constructs import Construct


def add_outputs(component: Construct, values: Mapping[str, str]) -> None:
    """Output values under exactly these names; a component's own scope would be part of them.

    Args:
        component: any construct of the stack.
        values: name → value.
    """
    for name, value in values.items():
        CfnOutput(Stack.of(component), name, value=value)
