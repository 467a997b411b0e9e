"""Writes the API's contract and its rendering into the Lambda package: `make contract`, after a change of either.

A test fails while the files are not what this would write.
"""

from __future__ import annotations

import json
from pathlib import Path

from predict.contract import build
from predict.pages import CONTRACT_FILE, FOLDER
from tools.reference_page import render


def documents() -> dict[Path, str]:
    """What each generated file has to hold."""
    contract = build()
    return {
        CONTRACT_FILE: json.dumps(contract, indent=2, ensure_ascii=False) + "\n",
        FOLDER / "docs.html": render(contract),
    }


def main() -> None:
    """Write them."""
    for path, content in documents().items():
        path.write_text(content, encoding="utf-8")
        print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    main()
