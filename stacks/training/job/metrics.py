"""The metrics that SageMaker reads from a training job's log, for every launcher: state machine, recipe and SDK.

`train.py` prints the loss of steps, figures of the validation rows after epochs, and those of the test rows at the end.
"""

_FIGURES = ("accuracy", "f1", "macro_f1", "micro_f1", "pearson")

VALUE = r"(-?[0-9]+\.[0-9]{4})"
"""A figure to its last digit: the container passes long output on in pieces, one of which may end within a figure."""

METRICS = {
    "train_loss": rf" loss={VALUE}",  # not the rest of eval_loss
    "eval_loss": rf"\beval_loss={VALUE}",
    **{f"{split}_{name}": rf"\b{split}_{name}={VALUE}" for split in ("eval", "test") for name in _FIGURES},
}
"""Name → expression over one line, whose group is the value. SageMaker takes at most 40."""

METRIC_DEFINITIONS = [{"Name": name, "Regex": regex} for name, regex in METRICS.items()]
