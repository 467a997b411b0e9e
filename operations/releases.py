"""List the model packages: verdict, figures on the test sentences, and which one serves.

The intervals are the 95 % bootstrap intervals of the gate. With a version number, everything that is known about it.
"""

from __future__ import annotations

import json

from operations import command, registry
from operations.deployment import connect
from operations.registry import Package

HEADINGS = ("", "version", "approval", "gate", "accuracy (95 %)", "F1 (95 %)", "difference", "made", "served since")
SERVES = "*"


def row(package: Package, champion: str) -> tuple[str, ...]:
    """One line of the table, a text for each of HEADINGS."""
    known = package.metadata
    return (
        SERVES if package.arn == champion else "",
        str(package.version),
        package.status,
        known.get("verdict", "-"),
        interval(known, "accuracy"),
        interval(known, "f1"),
        difference(known),
        f"{package.created:%Y-%m-%d %H:%M}",
        package.released_at.replace("T", " ")[:16] or known.get("release", "-"),
    )


def interval(known: dict[str, str], figure: str) -> str:
    """`0.868 (0.846-0.888)`, or `-` where the gate has not measured it."""
    values = [known.get(f"{figure}{end}") for end in ("", "_low", "_high")]
    return "{} ({}-{})".format(*values) if all(values) else "-"


def difference(known: dict[str, str]) -> str:
    """The accuracy beside the champion's of that time, such as `+0.004 to v3`."""
    if not known.get("difference"):
        return "-"
    return f"{float(known['difference']):+.3f} to v{known.get('compared_with', '?')}"


def table(rows: list[tuple[str, ...]]) -> str:
    """Rows under HEADINGS, in columns."""
    lines = [HEADINGS, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def main() -> int:
    """Print the table, or one package in full."""
    parser = command.parser(__doc__)
    parser.add_argument("package", nargs="?", default="", help="version number or ARN: show everything about this one")
    arguments = parser.parse_args()
    deployment = connect(arguments.env)
    if arguments.package:
        package = registry.package(deployment, arguments.package)
        command.say(f"{package.arn}\n{package.status}: {package.reason}\n{json.dumps(package.metadata, indent=2)}")
        return 0
    champion = deployment.released_package
    found = registry.packages(deployment)
    if not found:
        command.say("There is no model package yet. Next step: make train")
        return 0
    command.say(table([row(package, champion) for package in found]))
    command.say(
        f"\n{SERVES} serves. make releases PACKAGE=n tells why; make report PACKAGE=n fetches its report; "
        "make approve PACKAGE=n releases; make rollback goes back."
    )
    return 0


if __name__ == "__main__":
    command.run(main)
