"""What principals reach, by the local cloud's own decision: run by its interpreter, which has ministack.

Reads from stdin `{"principals": {who: statements}, "things": [ARN], "context": {condition key: value}}`. Writes every
`[who, action, ARN]` that is allowed. Actions are tried as the statements name them, on things of their own service.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document


def reached(principals: dict[str, Any], things: list[str], context: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every principal, action and thing that goes together."""
    for who, statements in principals.items():
        policies = [parse_policy_document({"Statement": statements})]
        for action in sorted({action for statement in policies[0] for action in statement.actions}):
            for thing in things:
                service = thing.split(":")[2]
                request = EvalContext(
                    principal_arn=f"arn:aws:sts::111122223333:assumed-role/{who}/session",
                    principal_type="AssumedRole",
                    principal_account="111122223333",
                    action=action,
                    resource_arn=thing,
                    region="us-east-1",
                    service_context={key.lower(): value for key, value in context.items()},
                )
                if action.startswith(f"{service}:") and evaluate(request, policies).decision == "Allow":
                    yield who, action, thing


if __name__ == "__main__":
    json.dump(list(reached(**json.load(sys.stdin))), sys.stdout)
