"""Writes the API's contract and its rendering into the Lambda package, and docs/api-reference.md (`make contract`).

Run it after every change of the API. A test fails while the files differ from what this would write.
"""

import json
from pathlib import Path

from predict.pages import CONTRACT_FILE, FOLDER
from tools.contract.document import build
from tools.contract.page import render


def documents() -> dict[Path, str]:
    """Return the content of each generated file."""
    contract = build()
    return {
        CONTRACT_FILE: json.dumps(contract, indent=2, ensure_ascii=False) + "\n",
        FOLDER / "docs.html": render(contract),
        FOLDER.parents[2] / "docs" / "api-reference.md": render(contract, "page.md.jinja"),
    }


def main() -> None:
    """Write the files."""
    for path, content in documents().items():
        path.write_text(content, encoding="utf-8")
        print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    main()
