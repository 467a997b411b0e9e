"""The content of `evaluation.json`, as a finished training job writes it, with made-up figures."""

from __future__ import annotations

from typing import Any

SHARE = {"value": 0.75, "low": 0.7, "high": 0.8}


def sample_evaluation(*labels: str, objective: str = "classification") -> dict[str, Any]:
    """An evaluation of a model with these labels, on 1000 test rows."""
    f1 = {"value": 0.9041, "low": 0.8925, "high": 0.9152}
    figures = {
        "accuracy": {"value": 0.8691, "low": 0.8541, "high": 0.8839},
        **dict.fromkeys(("f1", "macro_f1", "micro_f1"), f1),
        "pearson": None,
        "rows": 1000,
        "calibration": {"ece": 0.021, "bins": []},
        "confused": [],
        "classes": {name: {"rows": 500, "precision": SHARE, "recall": SHARE, "f1": SHARE} for name in labels},
    }
    return {
        "test": figures,
        "validation": figures,
        "int8": {"accuracy": 0.8675, "agreement": 0.9861, "split": "test"},
        "labels": list(labels),
        "objective": objective,
        "train_rows": 19000,
        "data_sha256": "abc",
        "train_seconds": 170.2,
        "vendored": {"note": "onnxruntime 1.31.1 travels along."},
        "baseline": None,
        "recipe": {"epochs": 2, "learning_rate": 1e-4, "batch_size": 32},
        "base_model": {"title": "maker/base", "hub_id": "maker/base", "revision": "0a1b"},
    }


GATE = {
    "verdict": "passed",
    "test_rows": "61",
    "accuracy": "0.9000",
    "accuracy_low": "0.8100",
    "accuracy_high": "0.9500",
    "f1": "0.8800",
    "f1_low": "0.7900",
    "f1_high": "0.9400",
}
"""What the registry holds of the gate's figures."""
