"""The metrics that SageMaker reads from a training job's log, for every launcher: state machine, recipe and SDK.

`train.py` prints the loss of steps, figures of the validation rows after epochs, and those of the test rows at the end.
"""

_FIGURES = ("accuracy", "f1", "macro_f1", "micro_f1")

METRICS = {
    "train_loss": r"\bloss=([0-9.eE+-]+)",
    "eval_loss": r"\beval_loss=([0-9.eE+-]+)",
    **{f"{split}_{name}": rf"\b{split}_{name}=([0-9.]+)" for split in ("eval", "test") for name in _FIGURES},
    **{f"{split}_pearson": rf"\b{split}_pearson=(-?[0-9.]+)" for split in ("eval", "test")},
}
"""Name → expression over one line, whose group is the value. SageMaker takes at most 40."""

METRIC_DEFINITIONS = [{"Name": name, "Regex": regex} for name, regex in METRICS.items()]
