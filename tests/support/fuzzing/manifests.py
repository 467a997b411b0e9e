"""The manifest beside canonical files: the same data set as before, or a refusal."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from classifier.data.dataset import DataSettings, load_data
from classifier.errors import ClassifierError
from fuzzing.data_files import LINES
from fuzzing.run import Target


class Fuzzed(Target):
    """Damages the manifest of one data set."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        seeds = []
        for columns in (("text", "label"), ("text", "score")):
            with tempfile.TemporaryDirectory() as folder:
                source = Path(folder) / "data.jsonl"
                source.write_text("".join(json.dumps({name: row[name] for name in columns}) + "\n" for row in LINES))
                reading = DataSettings(test_fraction=0.2, score_threshold=2.5 if "score" in columns else "auto")
                load_data(source, None, reading).write(Path(folder) / "canonical")
                files = {path.name: path.read_bytes() for path in (Path(folder) / "canonical").iterdir()}
                seeds.append(files.pop("manifest.json"))
                self.files = self.files or files
        super().__init__(seeds)

    def check(self, data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, content in self.files.items():
                (Path(folder) / name).write_bytes(content)
            (Path(folder) / "manifest.json").write_bytes(data)
            for settings in (DataSettings(), DataSettings(label_column="label", test_fraction=0.3)):
                try:
                    loaded = load_data(Path(folder), None, settings)
                except ClassifierError as error:
                    assert error.message
                    continue
                assert loaded.ids("train") is not None
                assert loaded.data_sha256
                assert loaded.summary()
