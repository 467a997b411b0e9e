"""Prints the lines of a requirements.txt that the running interpreter does not meet.

A script of its own, for the interpreter of the image map: `python requirements_check.py requirements.txt`.
"""

import sys
from importlib import metadata
from pathlib import Path

try:
    from packaging.requirements import InvalidRequirement, Requirement
except ImportError:  # every interpreter with pip has a copy
    from pip._vendor.packaging.requirements import InvalidRequirement, Requirement  # type: ignore[assignment]


def unsatisfied(text: str) -> list[str]:
    """Return the lines of a requirements file that are not met, each with the version that was found."""
    problems = []
    for line in text.splitlines():
        wanted = line.split(" #")[0].strip()
        if not wanted or wanted.startswith(("#", "-")):
            continue
        try:
            requirement = Requirement(wanted)
        except InvalidRequirement:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            found = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            problems.append(f"{wanted} (not installed)")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            problems.append(f"{wanted} (found {found})")
    return problems


if __name__ == "__main__":
    print("\n".join(unsatisfied(Path(sys.argv[1]).read_text(encoding="utf-8"))))
