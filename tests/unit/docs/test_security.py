"""docs/security.md: each attack has its proof, and each proof is a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)


def missing(named: list[tuple[str, str]]) -> list[str]:
    """Of the tests named by file and function, those that are not there."""
    return [f"{file}::{test}" for file, test in named if test not in _tests(ROOT / "tests" / file)]


def _tests(file: Path) -> set[str]:
    if not file.is_file():
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_named_test_exists() -> None:
    """A test that is renamed or deleted takes the page along; a name that nobody wrote is noticed."""
    assert missing(NAMED) == []
    assert len(NAMED) > 50
    assert missing([("unit/docs/test_security.py", "test_of_nothing"), ("unit/none.py", "test_a")]) == [
        "unit/docs/test_security.py::test_of_nothing",
        "unit/none.py::test_a",
    ]


def test_every_attack_has_a_proof() -> None:
    """In the tables of attacks, the last cell of each row names a test."""
    tables = [part for part in PAGE.split("\n## ") if "| attack |" in part]
    rows = [line for part in tables for line in part.splitlines() if line.startswith("| ")]
    unproven = [row.split("|")[1].strip() for row in rows if "::" not in row]
    assert set(unproven) == {"attack"}
    assert len(tables) == 4
