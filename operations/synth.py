"""Synthesise the CloudFormation templates of every environment. Needs neither a network nor an AWS account."""

from __future__ import annotations

from operations import cdk, command, paths

ENVIRONMENTS = ("local", "dev", "prod")


def main() -> int:
    """Write cdk.out/<env> for each environment."""
    command.parser(__doc__).parse_args()
    for env in ENVIRONMENTS:
        output = paths.ROOT / "cdk.out" / env
        cdk.run(["synth", "--quiet"], env=env, output=output)
        templates = sorted(file.name for file in output.glob("*.template.json"))
        command.say(f"cdk.out/{env}: {', '.join(templates)}")
    return 0


if __name__ == "__main__":
    command.run(main)
