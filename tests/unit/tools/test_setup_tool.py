"""The set-up tool refuses what cannot work, in words, before it installs anything."""

from __future__ import annotations

import sys

import pytest

from tools import setup


@pytest.mark.parametrize("version", [(3, 9), (3, 10), (3, 13)])
def test_an_unsupported_python_is_refused_with_what_is_allowed_and_how(version: tuple[int, int]) -> None:
    """Found version, allowed versions and the command that names another interpreter."""
    with pytest.raises(setup.SetupError) as caught:
        setup.check_python(version)
    message = str(caught.value)
    assert f"{version[0]}.{version[1]}" in message
    assert "3.11 or 3.12" in message
    assert "make PYTHON=" in message


def test_this_python_is_accepted() -> None:
    """The interpreter that runs the tests is one that set-up takes."""
    setup.check_python(sys.version_info[:2])


def test_the_fingerprint_changes_with_the_interpreter() -> None:
    """Another Python version means another environment."""
    assert setup.fingerprint((3, 11)) != setup.fingerprint((3, 12))
