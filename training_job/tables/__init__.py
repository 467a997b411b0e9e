"""Read a file of rows as people have it: any usual format, encoding and dialect, found in the content and stated.

The package knows nothing of texts or labels. It needs the standard library; Parquet needs pyarrow, and
Excel needs python-calamine. The client ships this package as `text_classifier.reading`, so its modules import one
another by relative names.
"""

from .names import clean_name
from .read import open_pipe, open_table, read_table
from .table import HowRead, ReadSettings, Table, TableError, TableRow, TableStream

__all__ = [
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
]
