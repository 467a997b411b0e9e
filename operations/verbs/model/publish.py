"""Publish a model package to the Hugging Face Hub."""

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from operations.aws import registry
from operations.aws.deployment import connect
from operations.console import Answer, say
from operations.errors import OperationError

INTERRUPTED = "Nothing is half published: a commit arrives whole or not. A new repository may be there, empty."


def publish(arguments: argparse.Namespace) -> Answer:
    """Publish a package's judged archive as a model repository of the Hub, private unless PUBLIC=1, in one commit.

    The token (HF_TOKEN, the file of `hf auth login`, or the secret HUB_TOKEN_SECRET), its rights, the repository and
    the archive's digest are checked first. Licence and language are those of the base model's card, unless stated.
    For example: make publish PACKAGE=3 REPO=name/model DRY_RUN=1, make publish PACKAGE=3 REPO=name/model
    """
    deployment = connect(arguments.env)
    from classifier.artifact import hub  # takes seconds
    from classifier.job.hub_token import SECRET_VARIABLE, fetch_hub_token

    package = registry.package(deployment, arguments.package)
    if package.status != registry.APPROVED and not arguments.unapproved:
        hint = f"make approve PACKAGE={package.version}, or ARGS=--unapproved to publish it all the same"
        raise OperationError(f"Version {package.version} is not approved. {package.status_and_reason}", hint=hint)
    os.environ |= deployment.variables  # of the cloud that has the secret
    fetch_hub_token({SECRET_VARIABLE: arguments.token_secret or ""})
    api, account, there = hub.look(arguments.repo, public=arguments.public)
    with tempfile.TemporaryDirectory() as scratch:
        folder, digest = registry.fetch(deployment, Path(scratch), package)
        if not digest:
            message = f"Version {package.version} is of an earlier version of this project, which recorded no digest."
            raise OperationError(f"{message} Nothing tells what was judged.", hint="make train, and publish that")
        said: dict[str, Any] = {"license": arguments.license, "language": arguments.language, "gate": package.metadata}
        said["version"] = f"{package.version}, archive {digest}"
        files = hub.prepare(api, arguments.repo, there, folder, overwrite=arguments.overwrite, **said)
        card = files[-1].path_or_fileobj.decode()
        if missing := [name for name in ("license", "language") if f"\n{name}: " not in card]:
            raise OperationError(f"No card states its {' and '.join(missing)}.", hint="LICENSE=mit, TEXT_LANGUAGE=en")
        sizes = {one.path_in_repo: one.upload_info.size for one in files}
        plan = {"repository": arguments.repo, "public": arguments.public, "account": account, "files": sizes}
        plan |= {"replaced": there and there.sha, "removed": hub.removed(there, files), "published": None}
        say(f"{card}\n{json.dumps(plan, indent=2)}", whole=True)
        if not arguments.dry_run:
            message = f"Model version {package.version}"
            plan["published"] = hub.send(api, arguments.repo, there, files, message, public=arguments.public)
    return Answer({**plan, "card": card}, f"Published: {plan['published'] or 'nothing was sent'}")
