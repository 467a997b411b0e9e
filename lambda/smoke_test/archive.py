"""Before a release: does the package's archive still have the bytes that were judged?"""

import re
from typing import Any

from shared.errors import FunctionError
from shared.storage import Hashed, ObjectStore

_KEPT = re.compile(r"/models/([0-9a-f]{64})/model\.tar\.gz$")


class ArchiveChangedError(FunctionError):
    """The archive is another than the one that was judged; the release workflow rejects its package."""


def check_archive(uri: str, s3: Any) -> str:
    """Hash the archive at `uri` and compare it with its name; return what was found, for the message of the release.

    Raises FunctionError: ArchiveChangedError, or StorageError where it can't be read, which is not the package's fault.
    """
    named = _KEPT.search(uri)
    if not named:
        return "not checked: an earlier version registered the package under an address that jobs may write to"
    with ObjectStore(s3).opened(uri) as body:
        found = Hashed(body).finish()
    if found != named[1]:
        raise ArchiveChangedError(
            f"{uri} is not the archive that was judged: its SHA-256 is {found}. Next: find out who wrote it (the "
            "object's versions, CloudTrail), and train anew."
        )
    return "the one that was judged"
