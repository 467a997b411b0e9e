"""From nothing to an answered request: start the local cloud, deploy, train on real text, serve, ask.

Every step looks at what is already there, so running it again is quick and continues what was interrupted.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from operations import command, data, local_cloud, release, status
from operations.api_client import api_client
from operations.deploy import deploy_locally
from operations.deployment import Deployment
from operations.train import train_and_release

EXAMPLE = "This was a Christmas gift for my grandson."  # the article's sentence


def bring_up(port: int) -> Deployment:
    """All phases; answers the deployment that now serves."""
    folder = os.environ.get("DATA")
    if folder:
        data.require_files(Path(folder))
    phases = command.Phases(5)
    deployment = deploy_locally(port, phases)

    phases.begin("Data")
    if folder:
        changed = data.upload(deployment, Path(folder))
        command.say(f"  {folder}: {'uploaded' if changed else 'already there'}")
    else:
        command.say("  no DATA folder: the public data set, or the bundled synthetic one where it cannot be reached")

    phases.begin("Train and release")
    if under_way := release.under_way(deployment):
        command.say("  following the release under way")
        release.follow(deployment, under_way)
    if deployment.released_package:
        command.say(f"  model version {deployment.model_version} serves already; `make train` trains a new one")
    else:
        train_and_release(deployment, {})

    phases.begin("Ask the API")
    with api_client(deployment) as client:
        prediction = client.score(EXAMPLE)
    status.write(deployment)
    command.say(f"  {json.dumps(prediction.as_dict())}")
    command.say(f"\nUp after {phases.seconds:.0f} s. The API: {deployment.api_url}\n\n{curl_line(deployment)}\n")
    return deployment


def curl_line(deployment: Deployment) -> str:
    """A command to paste that asks the API about the article's sentence."""
    key = f" -H 'x-api-key: {deployment.api_key}'" if deployment.api_key else ""
    return (
        f"curl -X POST {deployment.api_url}/v1/predictions -H 'Content-Type: application/json'{key} "
        f"-d '{json.dumps({'inputs': EXAMPLE})}'"
    )


def main() -> int:
    """Bring everything up on the port given."""
    parser = command.parser(__doc__)
    local_cloud.add_port(parser)
    bring_up(parser.parse_args().port)
    return 0


if __name__ == "__main__":
    command.run(main, "The local cloud and what runs in it go on; `make up` continues, `make down` stops it.")
