"""Cells of CSV as spreadsheets take them."""

import re
from typing import Any

_COMPUTED = re.compile(r"[=@＝＠\t\r\n]|[+＋－-](?![\d.,]+$)")
"""How a cell begins that a spreadsheet takes for a formula (OWASP, CSV Injection); a number with a sign is none."""


def safe_cell(value: Any) -> Any:
    """Return a cell, with `'` before a text that a spreadsheet would compute."""
    return f"'{value}" if isinstance(value, str) and _COMPUTED.match(value) else value
