"""How functions of ministack are wrapped, and which ones."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from local.emulator import plugin
from local.emulator.common.patching import wrap


def doubled(original: Callable[[int], int], number: int) -> int:
    return 2 * original(number)


def test_a_wrapper_gets_the_original_and_replaces_every_copy() -> None:
    """A function is replaced where it is defined, where it was imported, and in tables."""
    module, importer = ModuleType("module"), ModuleType("importer")
    table: dict[str, Any] = {}
    for place in (vars(module), vars(importer), table):
        place["add_one"] = lambda number: number + 1
    wrap((module, importer), "add_one", doubled)
    wrap(table, "add_one", doubled)
    assert module.add_one(3) == importer.add_one(3) == table["add_one"](3) == 8


def test_a_name_that_does_not_exist_is_refused() -> None:
    """A release of ministack without the function fails at the start, not at the first call."""
    with pytest.raises(KeyError):
        wrap(ModuleType("module"), "gone", doubled)


@pytest.mark.parametrize(("holders", "name"), [entry[:2] for entry in plugin._WRAPPED])
def test_every_wrapped_function_exists_in_the_installed_ministack(holders: Any, name: str) -> None:
    """Each entry of the list of changes names a function, in each module."""
    for holder in holders if isinstance(holders, tuple) else (holders,):
        assert callable((vars(holder) if isinstance(holder, ModuleType) else holder)[name])
