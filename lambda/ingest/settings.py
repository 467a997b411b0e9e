"""The function's environment variables as one typed value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import Misconfigured


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the stack decides for every execution."""

    data_bucket: str
    """``DATA_BUCKET``: bucket with ``source/`` (read) and ``datasets/`` (written)."""

    data_source_url: str
    """``DATA_SOURCE_URL``: where the data is if nothing else is given; may be empty."""

    bundled_data: Path | None
    """Folder of the bundled data set (``BUNDLED_DATA_DIR``, by default ``data`` beside this package), or None unless
    ``ALLOW_BUNDLED_DATA`` is ``true``."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Reads and checks the variables.

        Raises:
            Misconfigured: one is missing or wrong.
        """
        return cls(
            data_bucket=_required(environment, "DATA_BUCKET"),
            data_source_url=environment.get("DATA_SOURCE_URL", "").strip(),
            bundled_data=_bundled_data(environment),
        )


def _required(environment: Mapping[str, str], variable: str) -> str:
    value = environment.get(variable, "").strip()
    if not value:
        raise Misconfigured(variable, "is missing")
    return value


def _bundled_data(environment: Mapping[str, str]) -> Path | None:
    allowed = environment.get("ALLOW_BUNDLED_DATA", "false").strip().lower()
    if allowed not in ("true", "false", ""):
        raise Misconfigured("ALLOW_BUNDLED_DATA", f"is {allowed!r}; true or false is allowed")
    if allowed != "true":
        return None
    given = environment.get("BUNDLED_DATA_DIR", "").strip()
    folder = Path(given) if given else Path(environment.get("LAMBDA_TASK_ROOT") or _task_root()) / "data"
    if not folder.is_dir():
        raise Misconfigured("BUNDLED_DATA_DIR", f"leads to {folder}, which is not a folder")
    return folder


def _task_root() -> Path:
    """The folder that holds this package; the task root outside of Lambda."""
    return Path(__file__).resolve().parent.parent
