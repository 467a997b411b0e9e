"""The meaning of a data file's columns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Names of the columns with the text and its label, and names of the two classes."""

    text_column: str = "sentence"
    """The text to classify."""

    score_column: str = "helpful"
    """A number; the label is 1 from `score_threshold` on. Ignored if `label_column` is given."""

    score_threshold: float = 1.0
    """Smallest score of class 1, in the score's own units. The article's rule is `helpful < 1` → 0."""

    label_column: str | None = None
    """One of two labels (strings, integers or booleans), for data without a score."""

    label_names: tuple[str, str] | None = None
    """Names of class 0 and class 1. None takes the two labels that occur, numbers by value, words by alphabet."""

    title_column: str | None = "product_title"
    """Optional: the title of the product that the text is about."""

    product_column: str | None = "asin"
    """Optional: rows with the same value stay on one side of the validation split."""

    family_column: str | None = "product_family"
    """Optional: the kind of product; results are also reported by kind."""

    @property
    def target_column(self) -> str:
        """The column that gives the label."""
        return self.label_column or self.score_column
