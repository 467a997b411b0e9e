"""Read a file of rows as people have it: any usual format, encoding and dialect, found in the content and stated.

The package knows nothing of texts or labels. It needs the standard library; Parquet needs pyarrow, and
Excel needs python-calamine. The client ships this package as `text_classifier.reading`, so its modules import one
another by relative names.
"""

from .names import LIKELY_COLUMNS, clean_name, text_column
from .output import safe_cell
from .read import open_pipe, open_table, read_table
from .table import HowRead, ReadSettings, Table, TableError, TableRow, TableStream

__all__ = [
    "LIKELY_COLUMNS",
    "HowRead",
    "ReadSettings",
    "Table",
    "TableError",
    "TableRow",
    "TableStream",
    "clean_name",
    "open_pipe",
    "open_table",
    "read_table",
    "safe_cell",
    "text_column",
]
