"""The configuration of an environment as a deployment reads it: every value, and where it comes from."""

import argparse
import json
import os
from typing import Any

from operations import paths
from operations.console import Answer
from operations.errors import OperationError
from stacks.config.environment import Config, load_config
from stacks.config.fields import dotted_names
from stacks.config.serving import ARTICLE
from stacks.errors import StacksError

NAMES = tuple(dotted_names(Config))
REGIONS = ("CDK_DEFAULT_REGION", "AWS_REGION", "AWS_DEFAULT_REGION")


def config(arguments: argparse.Namespace) -> Answer:
    """Show every value of an environment's configuration, and where it comes from: nothing is deployed or asked.

    The last of these wins: the default, the environment's block in cdk.json, CONTEXT (which is -c of cdk). A name that
    does not exist is refused, with the one that was probably meant. For example: make config ENV=prod
    CONTEXT="serving.container=slim", make config ARGS=--json
    """
    variable = next((name for name in REGIONS if os.environ.get(name)), "")
    found = configuration(arguments.env, os.environ.get(variable, ""))
    values = found.model_dump()
    rows = [{"name": name, "from": _origin(found, name, variable), "value": _at(values, name)} for name in NAMES]
    lines = [f"{row['name']:38} {row['from']:16} {json.dumps(row['value'])}" for row in rows]
    return Answer(rows, "\n".join(lines))


def given() -> dict[str, str]:
    """Return the values of CONTEXT; a word of it that is no NAME=VALUE is refused."""
    words = os.environ.get("CONTEXT", "").split()
    if wrong := [word for word in words if "=" not in word.strip("=")]:
        raise OperationError(f"CONTEXT holds '{wrong[0]}'.", hint='NAME=VALUE: CONTEXT="serving.container=slim"')
    return dict(word.split("=", 1) for word in words)


def configuration(env: str, region: str) -> Config:
    """Return the configuration of an environment in a region, as a deployment with this CONTEXT reads it."""
    values = {**_shipped(), **given(), "env": env}
    try:
        return load_config(values.get, {"CDK_DEFAULT_REGION": region}, values)
    except StacksError as error:
        raise OperationError(str(error), hint="correct it in cdk.json or CONTEXT") from error


def _shipped() -> dict[str, Any]:
    return dict(json.loads((paths.ROOT / "cdk.json").read_text(encoding="utf-8"))["context"])


def _at(tree: Any, name: str) -> Any:
    """Return the value at a dotted name of nested blocks; None where there is none."""
    for part in name.split("."):
        tree = (tree or {}).get(part)
    return tree


def _origin(found: Config, name: str, variable: str) -> str:
    shipped = _shipped()
    if found.serving.article and name.removeprefix("serving.") in ARTICLE:
        return "serving.article"
    if name in given():
        return "CONTEXT"
    if name in shipped or _at(shipped["environments"][found.env], name) is not None:
        return "cdk.json"
    if name == "training.hyperparameters" and found.serving.container == "slim":
        return "serving.container"
    return {"env": "ENV", "region": variable}.get(name) or "default"
