"""Which tests `make test-fast` leaves to the slow part."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("folder", "mark"), [("e2e", "e2e"), ("integration", "integration")])
def test_every_file_outside_the_fast_folders_is_marked_as_slow(folder: str, mark: str) -> None:
    """Each test file is run by one part: `make test-fast` does not collect these folders."""
    files = list((TESTS / folder).glob("test_*.py"))
    lines = {file.name: [line for line in file.read_text().splitlines() if "pytestmark" in line] for file in files}
    assert files and [name for name, found in lines.items() if not any(f"mark.{mark}" in line for line in found)] == []
