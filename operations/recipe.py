"""The training job as SageMaker's *Create training job* page asks for it, field by field, to copy.

The values are the workflow's own: the stack writes them down. A job made with them is judged and registered by
`make train TRAINING_JOB=name`, or by starting the state machine with {"training_job": "name"}.
"""

from __future__ import annotations

import json
from typing import Any

from operations import command
from operations.deployment import Deployment, connect


def request(deployment: Deployment) -> dict[str, Any]:
    """The CreateTrainingJob request that the page's fields amount to; only its name is left to choose."""
    name = deployment.output("TrainingRecipeParameter")
    return json.loads(deployment.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def fields(value: Any, path: str = "") -> list[tuple[str, str]]:
    """A nested request as (path, value) lines: `ResourceConfig.InstanceType`, `ml.g4dn.xlarge`."""
    if isinstance(value, dict):
        return [line for key, inner in value.items() for line in fields(inner, f"{path}.{key}" if path else key)]
    if isinstance(value, list):
        return [line for number, inner in enumerate(value) for line in fields(inner, f"{path}[{number}]")]
    return [(path, str(value))]


def main() -> int:
    """Print the fields, or the request as JSON."""
    parser = command.parser(__doc__)
    parser.add_argument("--json", action="store_true", help="as JSON, for `aws sagemaker create-training-job`")
    arguments = parser.parse_args()
    recipe = request(connect(arguments.env))
    if arguments.json:
        command.say(json.dumps(recipe, indent=2))
        return 0
    lines = fields(recipe)
    width = max(len(path) for path, _ in lines)
    command.say("\n".join(f"{path.ljust(width)}  {value}" for path, value in lines))
    return 0


if __name__ == "__main__":
    command.run(main)
