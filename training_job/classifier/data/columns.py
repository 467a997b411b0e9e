"""Which columns of a data file mean what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Where the text and its label stand in the file, and what the two classes are called."""

    text_column: str = "sentence"
    """Column with the text to classify."""

    score_column: str = "helpful"
    """Column with a number; the label is 1 from ``score_threshold`` on. Not read if ``label_column`` is given."""

    score_threshold: float = 1.0
    """Smallest score of class 1, in the score's own units. The article's rule is ``helpful < 1`` → 0."""

    label_column: str | None = None
    """Column with one of two labels (strings, integers or booleans), for data without a score."""

    label_names: tuple[str, str] | None = None
    """Names of class 0 and class 1. For labels None takes the two that occur, numbers by value, words by alphabet."""

    title_column: str | None = "product_title"
    """Optional column with the title of what the text is about."""

    product_column: str | None = "asin"
    """Optional column that says which rows belong together; they stay on one side of a validation split."""

    family_column: str | None = "product_family"
    """Optional column with the kind of product; results are told for each."""

    @property
    def target_column(self) -> str:
        """The column the label comes from."""
        return self.label_column or self.score_column
