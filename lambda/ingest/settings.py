"""The function's environment variables, typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from shared.errors import MisconfiguredError
from shared.settings import flag, required


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the stack decides for every execution."""

    data_bucket: str
    """`DATA_BUCKET`: bucket with `source/` (read) and `datasets/` (written)."""
    data_source_url: str
    """`DATA_SOURCE_URL`: the source if no other is given; may be empty."""
    bundled_data: Path | None
    """`BUNDLED_DATA_DIR`: folder of the bundled data set, by default `data` beside this package; None unless
    `ALLOW_BUNDLED_DATA` is `true`."""
    allow_internal: bool = False
    """`ALLOW_INTERNAL_SOURCES`: whether a source may have a private or loopback address."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables named above; raise MisconfiguredError for one that is missing or wrong."""
        return cls(
            data_bucket=required(environment, "DATA_BUCKET"),
            data_source_url=environment.get("DATA_SOURCE_URL", "").strip(),
            bundled_data=_bundled_data(environment) if flag(environment, "ALLOW_BUNDLED_DATA") else None,
            allow_internal=flag(environment, "ALLOW_INTERNAL_SOURCES"),
        )


def _bundled_data(environment: Mapping[str, str]) -> Path:
    task_root = environment.get("LAMBDA_TASK_ROOT") or Path(__file__).resolve().parents[1]
    folder = Path(environment.get("BUNDLED_DATA_DIR", "").strip() or Path(task_root) / "data")
    if not folder.is_dir():
        raise MisconfiguredError("BUNDLED_DATA_DIR", f"leads to {folder}, which is not a folder")
    return folder
