"""A plugin of pytest: which tests its runs would select, found out with one collection for all of them.

`--note-selection=FILE` appends what a run was asked for to the file, and ends it. `--selections=FILE` collects once and
writes the ids of all tests, and of those that each noted run selects, to FILE.json.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add both options."""
    parser.addoption("--note-selection", type=Path)
    parser.addoption("--selections", type=Path)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Note what this run was asked for: its arguments have been read, and nothing else can select tests."""
    file: Path | None = config.getoption("--note-selection")
    if file is None:
        return None
    ways = ("keyword", "deselect", "ignore", "ignore_glob", "lf", "failedfirst", "newfirst")
    assert not any(map(config.getoption, ways)), "selects in another way, too"
    with file.open("a") as notes:
        notes.write(json.dumps([config.args, config.getoption("markexpr")]) + "\n")
    return 0


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Write which tests each noted run selects, as pytest itself does it."""
    file: Path | None = config.getoption("--selections")
    if file is None:
        return
    selections = [[item.nodeid for item in items]]
    for line in file.read_text().splitlines():
        folders, expression = json.loads(line)
        paths = [config.rootpath / folder for folder in folders]
        found = [item for item in items if any(item.path.is_relative_to(path) for path in paths)]
        config.option.markexpr = expression
        config.pluginmanager.get_plugin("mark").pytest_collection_modifyitems(items=found, config=config)
        selections.append([item.nodeid for item in found])
    config.option.markexpr = ""
    file.with_suffix(".json").write_text(json.dumps(selections))
