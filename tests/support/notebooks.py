"""What a notebook file holds: its code, and what its outputs say."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

ARTICLE = Path(__file__).resolve().parents[2] / "docs" / "article.ipynb"


class Notebook:
    """A notebook, checked against the format's schema.

    Attributes:
        code: source of each code cell.
        prose: source of all other cells.
        outputs: what the code cells left, in order.
    """

    def __init__(self, file: Path) -> None:
        import nbformat  # takes seconds, which every test process would pay to collect its tests

        book: Any = nbformat.read(file, as_version=4)
        nbformat.validate(book)
        self.cells = [cell for cell in book.cells if cell.cell_type == "code"]
        self.code = [cell.source for cell in self.cells]
        self.prose = "\n".join(cell.source for cell in book.cells if cell.cell_type != "code")
        self.outputs = [output for cell in self.cells for output in cell.outputs]

    @property
    def digest(self) -> str:
        """The sum of the code, as the first cell prints it."""
        return hashlib.sha256("\n".join(self.code).encode()).hexdigest()[:12]

    @property
    def text(self) -> str:
        """All outputs that are text."""
        parts = [output.get("text", "") for output in self.outputs]
        data = [output.get("data", {}) for output in self.outputs]
        return "\n".join([*parts, *(one[kind] for one in data for kind in ("text/plain", "text/html") if kind in one)])

    @property
    def pictures(self) -> list[str]:
        """All plots, PNG in base64."""
        return [output.data["image/png"] for output in self.outputs if "image/png" in output.get("data", {})]

    @property
    def noise(self) -> list[Any]:
        """Errors, and what was written to standard error: warnings and progress bars."""
        return [one for one in self.outputs if one.output_type == "error" or one.get("name") == "stderr"]
