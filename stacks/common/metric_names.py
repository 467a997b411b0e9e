"""Names of the metrics that our own code emits, as the Lambdas write them; a test compares the two.

The namespace is the environment's prefix. Every metric has the dimension `service`.
"""

SERVICE = "service"
"""Dimension that Powertools gives every metric."""

PREDICT_SERVICE = "predict"
PROBLEM_PREFIX = "Problem."
"""Followed by a problem's stable code: how many requests were answered with it."""
THROTTLED = f"{PROBLEM_PREFIX}throttled"
"""Requests that the endpoint had no capacity for, after all retries."""

VERSION = "model_version"
"""Dimension of all metrics about predictions."""
LABEL = "label"
"""Dimension of `PREDICTIONS`: one of the model's labels."""
PREDICTIONS = "Predictions"
CONFIDENCE = (
    "ConfidenceBelow60",
    "Confidence60To70",
    "Confidence70To80",
    "Confidence80To90",
    "Confidence90To95",
    "ConfidenceFrom95",
)
LENGTH = ("LengthBelow25", "Length25To40", "Length40To60", "Length60To90", "Length90To150", "LengthFrom150")

DRIFT_SERVICE = "drift"
DRIFT = "Drift"
"""The largest of `DRIFT_OF`; the alarm watches it."""
DRIFT_OF = ("LabelDrift", "ConfidenceDrift", "LengthDrift")
JUDGED = "JudgedPredictions"
"""How many predictions a check compared."""
