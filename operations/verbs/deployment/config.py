"""The configuration of an environment as a deployment reads it: every value, and where it comes from."""

import argparse
import json
import os
from typing import Any

from jmespath import search

from operations import paths
from operations.console import Answer
from operations.errors import OperationError
from stacks.config.environment import Config, load_config
from stacks.config.fields import dotted_names
from stacks.config.serving import ARTICLE
from stacks.errors import StacksError

REGIONS = ("CDK_DEFAULT_REGION", "AWS_REGION", "AWS_DEFAULT_REGION")


def config(arguments: argparse.Namespace) -> Answer:
    """Show every value of an environment's configuration, and where it comes from; nothing is deployed or asked.

    CONTEXT (-c of cdk) goes before cdk.json, and that before the default. A name that does not exist is refused, with
    the one that was probably meant. For example: make config ENV=prod CONTEXT="serving.container=slim"
    """
    variable = next(filter(os.environ.get, REGIONS), "")
    found, context = configuration(arguments.env), _context(arguments.env)
    given = [word.partition("=")[0] for word in os.environ.get("CONTEXT", "").split()]
    values, shipped = found.model_dump(), context["environments"][found.env]

    def origin(name: str) -> str:
        if found.serving.article and name.removeprefix("serving.") in ARTICLE:
            return "serving.article"
        if name in given:
            return "CONTEXT"
        if name != "env" and (name in context or search(name, shipped) is not None):
            return "cdk.json"
        if found.serving.container == "slim" and name == "training.hyperparameters":
            return "serving.container"
        return {"env": "ENV", "region": variable}.get(name) or "default"

    rows = [{"name": name, "from": origin(name), "value": search(name, values)} for name in dotted_names(Config)]
    return Answer(rows, "\n".join(f"{row['name']:38} {row['from']:18} {json.dumps(row['value'])}" for row in rows))


def configuration(env: str, region: str = "") -> Config:
    """Return the configuration of an environment as a deployment reads it, in this region or the environment's."""
    values, region = _context(env), region or next(filter(None, map(os.environ.get, REGIONS)), "")
    try:
        return load_config(values.get, {"CDK_DEFAULT_REGION": region}, values)
    except StacksError as error:
        raise OperationError(str(error), hint="correct it in cdk.json or CONTEXT") from error


def _context(env: str) -> dict[str, Any]:
    context, words = json.loads((paths.ROOT / "cdk.json").read_text())["context"], os.environ.get("CONTEXT", "").split()
    if wrong := [word for word in words if "=" not in word[1:]]:
        raise OperationError(f"CONTEXT holds '{wrong[0]}'.", hint='NAME=VALUE: CONTEXT="serving.container=slim"')
    return {**context, **dict(word.split("=", 1) for word in words), "env": env}
