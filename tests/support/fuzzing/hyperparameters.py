"""Hyperparameters as launchers write them: values in their ranges, or the name, what is allowed and the next step."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path

from classifier.errors import JobError
from classifier.job.environment import hyperparameters_file
from classifier.job.hyperparameter_rules import SETTING, decoded, encoded
from classifier.job.hyperparameters import Hyperparameters
from fuzzing.run import Target

SEEDS = [
    {"epochs": "3", "learning_rate": "1e-4", "base_model": "distilbert-base-uncased", "seed": "1"},
    {"epochs": '"5"', "text_column": "'a b'", "label_names": "percent:a%20b", "batch_size": '"\\"16\\""'},
    {"label_names": "percent:%ff", "label_names_part2": "x", "delimiter": ";", "encoding": "utf-8", "epochs": 2.0},
]


class Fuzzed(Target):
    """Reads the container's file, and parses it."""

    def __init__(self) -> None:
        super().__init__([json.dumps(seed).encode() for seed in SEEDS])

    def check(self, data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "input/config/hyperparameters.json"
            path.parent.mkdir(parents=True)
            path.write_bytes(data)
            try:
                values = hyperparameters_file({"SAGEMAKER_BASE_DIR": folder})
            except JobError as error:
                assert error.message
                return
        try:
            parsed = Hyperparameters.parse(values)
        except JobError as error:
            assert error.hint and error.message
        else:
            for field in dataclasses.fields(parsed):
                assert field.metadata[SETTING].holds(getattr(parsed, field.name)), field.name
        plain = {name: value for name, value in values.items() if isinstance(value, str) and "_part" not in name}
        whole = {name: value for name, value in plain.items() if value.isprintable()}
        assert decoded(encoded(whole)) == whole
