"""What a person may say about their data; everything left empty is inferred."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, Self

from classifier.errors import DataError
from classifier.job.hyperparameters import Hyperparameters
from tables import ReadSettings, TableError

Auto = Literal["auto"]


@dataclass(frozen=True, kw_only=True)
class DataSettings(ReadSettings):
    """The hyperparameters that say how data is read, under their names; `Hyperparameters` holds their meanings.

    Raises DataError: a value that says how the file is written is not allowed.
    """

    objective: str = "auto"
    text_column: str = ""
    label_column: str = ""
    score_column: str = ""
    score_threshold: float | Auto = "auto"
    label_names: str = ""
    positive_label: str = ""
    label_separator: str = "auto"
    join_label_case: str = "no"
    product_column: str = ""
    family_column: str = ""
    test_fraction: float = 0.2
    max_lost_share: float = 0.05
    seed: int = 42
    stated: frozenset[str] = frozenset()
    """Names of the hyperparameters that somebody gave, also with their defaults."""
    one_class: bool = False
    """Whether rows of one class are enough, which can be measured and not learned."""

    def __post_init__(self) -> None:
        try:
            super().__post_init__()
        except TableError as error:
            raise DataError(error.message, hint=error.hint) from error

    @classmethod
    def of(cls, hp: Hyperparameters) -> Self:
        """Take the reading settings out of a job's hyperparameters."""
        names = (field.name for field in dataclasses.fields(cls))
        return cls(**{name: getattr(hp, name) for name in names if hasattr(hp, name)})

    def given(self) -> dict[str, Any]:
        """Return the settings that differ from their defaults, without the seed."""
        others = ("seed", "stated", "one_class")
        default = DataSettings()
        names = (field.name for field in dataclasses.fields(self) if field.name not in others)
        return {name: getattr(self, name) for name in names if getattr(self, name) != getattr(default, name)}
