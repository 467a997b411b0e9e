"""ministack writes into its state folder while it is imported; here that is a folder of this test run."""

from __future__ import annotations

import os
import tempfile

_folder = tempfile.TemporaryDirectory(prefix="ministack-unit-tests-")  # removed when the interpreter ends
os.environ["STATE_DIR"] = _folder.name
