"""Which `make` commands a test proves: the marker `proves("make up", …)`, and the check that it ran them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

PROVEN = pytest.StashKey[set[str]]()
"""Every command that a collected test is marked as the proof of."""


def claims(items: Iterable[pytest.Item]) -> set[str]:
    """Return the commands that these tests are marked as the proof of."""
    return {command for item in items for mark in item.iter_markers("proves") for command in mark.args}


def unfounded(item: pytest.Item, fixtures: Mapping[str, Any]) -> set[str]:
    """Return the claims of a test that none of its fixtures ran with success: this target, with these variables.

    A fixture, or its attribute `project`, says so in `ran`: the arguments of each `make` command that ended with 0. The
    values of variables are the test's own.
    """
    claimed = claims([item])
    if not claimed:
        return set()
    projects = [getattr(value, "project", value) for value in fixtures.values()]
    ran = [_named(arguments) for project in projects for arguments in getattr(project, "ran", ())]
    return {command for command in claimed if not any(_named(shlex.split(command)[1:]) <= names for names in ran)}


def _named(arguments: Iterable[str]) -> set[str]:
    """Return the target and the names of the variables."""
    return {argument.partition("=")[0] for argument in arguments}
