"""The local cloud: start it, deploy to it, bring everything up, stop it."""

import argparse
import json
import os
import re
from functools import partial
from pathlib import Path
from typing import Any

from operations import paths
from operations.aws import data, executions, registry, releases
from operations.aws.deployment import LOCAL_ENV, Deployment, connect
from operations.console import Phases, note, say
from operations.errors import OperationError
from operations.local_cloud import cdk as cdk_command
from operations.local_cloud import process
from operations.verbs.deployment import status
from operations.verbs.deployment.config import configuration
from operations.verbs.model.data import examine
from operations.verbs.model.training import hyperparameters, train_and_release

EXAMPLE = "This was a Christmas gift for my grandson."  # the article's sentence
ENVIRONMENTS = ("local", "dev", "prod")
PENDING = "make report shows its figures, make approve PACKAGE=version releases it"
INTERRUPTED = "The local cloud and what runs in it go on; `make up` or `make deploy` continues, `make down` stops it."


def up(arguments: argparse.Namespace) -> None:
    """Start the local cloud, deploy, train on real text, serve, and ask the API.

    DATA is a file or a folder of labelled texts; how it is read is shown first. Every step looks at what is already
    there, so running it again is quick and continues what was interrupted.
    For example: make up DATA=tickets.csv PORT=4700
    """
    folder, given = os.environ.get("DATA"), hyperparameters(arguments.hyperparameter)
    labelled = examine(Path(folder), given) if folder else None
    for line in labelled.summary() if labelled else ():
        say(f"  {line}")
    phases = Phases(5)
    deployment = _deployed(arguments.port, phases)

    phases.begin("Data")
    new = False
    if folder and labelled:
        say(f"  {folder}: {'uploaded' if data.upload(deployment, labelled) else 'already there'}")
        if arn := deployment.released_package:
            new = data.is_untrained(deployment, Path(folder), labelled, registry.package(deployment, arn))
        given = data.without_reading(given)
    else:
        say("  no DATA folder: the public data set, or the bundled synthetic one where it cannot be reached")

    phases.begin("Train and release")
    if under_way := executions.running(deployment, deployment.output(releases.MACHINE)):
        say("  following the release under way")
        releases.follow(deployment, under_way)
    trained: dict[str, Any] = {}
    if not (kept := bool(deployment.released_package) and not new):
        trained = train_and_release(deployment, {"hyperparameters": given} if given else {})

    phases.begin("Ask the API")
    if not deployment.released_package:
        raise OperationError("No model serves: the one that was trained waits for a person.", hint=PENDING)
    with deployment.api_client() as client:
        prediction = client.score(EXAMPLE, top_k="all")
    if kept:
        say(f"  model version {prediction.model_version} serves already; `make train` trains a new one")
    if trained.get("status") == registry.PENDING:
        say(f"  model version {prediction.model_version} answers still: the new one waits for a person (see above)")
    several = prediction.labels is not None or len(prediction.scores or ()) > 2
    body = {"inputs": EXAMPLE, **({"parameters": {"top_k": None}} if several else {})}
    status.write(deployment)
    key = f" -H 'x-api-key: {deployment.api_key}'" if deployment.api_key else ""
    say(
        f"  {json.dumps(prediction.as_dict())}\n\nUp after {phases.seconds:.0f} s. The API: {deployment.api_url}\n\n"
        f"curl -X POST {deployment.api_url}/v1/predictions -H 'Content-Type: application/json'{key} "
        f"-d '{json.dumps(body)}'\n",
        whole=True,
    )


def deploy(arguments: argparse.Namespace) -> None:
    """Start the local cloud and deploy every stack to it with the real CDK command line; no training.

    For example: make deploy CONTEXT="serving.container=slim"
    """
    say(f"Deployed. The API: {_deployed(arguments.port, Phases(2)).api_url}")


def cdk(arguments: argparse.Namespace) -> None:
    """Run any `cdk` command against the local cloud, or against AWS with an environment that is there.

    For example: make cdk ARGS="destroy --all --force", make cdk ENV=dev ARGS="diff --all"
    """
    show = partial(say, whole=True)
    cdk_command.run(arguments.arguments, env=arguments.env, deployment=connect(arguments.env), show=show)


def down(_: argparse.Namespace) -> None:
    """Stop the local cloud with every training job and endpoint in it.

    Its state stays in .local/ until `make clean`. For example: make down
    """
    stopped = process.stop()
    say(
        "The local cloud is stopped; `make up` continues where it was."
        if stopped
        else "The local cloud was not running."
    )


def synth(_: argparse.Namespace) -> None:
    """Synthesise the CloudFormation templates of every environment into cdk.out/.

    Needs neither a network nor an AWS account. For example: make synth
    """
    for env in ENVIRONMENTS:
        output = paths.ROOT / "cdk.out" / env
        cdk_command.run(["synth", "--quiet"], env=env, output=output)
        say(f"cdk.out/{env}: {', '.join(sorted(file.name for file in output.glob('*.template.json')))}")


def _deployed(port: int, phases: Phases) -> Deployment:
    """Start the local cloud, bootstrap it where that is missing, and deploy all stacks."""
    configuration(LOCAL_ENV)  # a misspelt value of CONTEXT is refused before anything starts
    phases.begin("Local cloud")
    chosen = process.start(port)
    deployment = connect(LOCAL_ENV)
    say(f"  {process.endpoint_url(chosen)}, state in .local/")

    phases.begin("Deploy the stacks with cdk")
    complete = ["CREATE_COMPLETE", "UPDATE_COMPLETE"]
    stacks = deployment.client("cloudformation").list_stacks(StackStatusFilter=complete)["StackSummaries"]
    if all(stack["StackName"] != "CDKToolkit" for stack in stacks):
        account = deployment.client("sts").get_caller_identity()["Account"]
        toolkit = ["bootstrap", f"aws://{account}/{deployment.session.region_name}"]
        cdk_command.run(toolkit, deployment=deployment, output=None, show=_milestone)
    # Parameters keep their previous values, so that a deployment never changes the champion.
    everything = ["deploy", "--all", "--require-approval", "never", "--progress", "events"]
    cdk_command.run(everything, deployment=deployment, show=_milestone)
    deployment = connect(LOCAL_ENV)  # its outputs are new
    if deployment.stack("image"):
        say("  slim serving image: none was built (no Docker here); its server runs from build/slim")
    status.write(deployment)
    return deployment


def _milestone(line: str) -> bool:
    """Show of cdk's many lines those that say a stack is done; tell whether this one stays hidden."""
    # As a word, or as the end of a status: resources may be named after failures.
    hidden = "✅" not in line and not re.search(r"\bfailed\b|_FAILED\b", line, re.IGNORECASE)
    (note if hidden else say)(f"  {line.strip()}")
    return hidden
