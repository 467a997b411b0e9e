"""How a workflow's document is filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stacks.common.filled_document import filled

DOCUMENT = """
Expressions: {greeting: 'Hello, ${who}'}
Arguments: {Text: '{% "${greeting}!" %}', Seconds: '${seconds}', KmsKeyId: '${key}'}
"""


def fill(folder: Path, text: str = DOCUMENT, **values: Any) -> dict[str, Any]:
    """Fill a document in; `who` is known, and more that it does not use."""
    document = folder / "workflow.asl.yaml"
    document.write_text(text, encoding="utf-8")
    return filled(document, {"who": "you", "other": 1}, {"seconds": 5, "key": None, **values})


def test_values_keep_their_type_and_nothing_is_left_out_but_none(tmp_path: Path) -> None:
    """A value inside text is text, one alone is itself, and a member without a value is not there."""
    assert fill(tmp_path) == {"Arguments": {"Text": '{% "Hello, you!" %}', "Seconds": 5}}


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    """A misspelt name does not reach a template; it is named with its document."""
    with pytest.raises(ValueError, match=r"workflow\.asl\.yaml: \$\{whom\} has no value"):
        fill(tmp_path, DOCUMENT.replace("who", "whom"))


@pytest.mark.parametrize("kind", ["value", "expression"])
def test_what_nothing_uses_is_refused(tmp_path: Path, kind: str) -> None:
    """A value or an expression that no state needs any more has to go."""
    unused = {"left": 1} if kind == "value" else {}
    text = DOCUMENT if unused else DOCUMENT.replace("Expressions: {", "Expressions: {left: 1, ")
    with pytest.raises(ValueError, match="nothing uses left"):
        fill(tmp_path, text, **unused)
