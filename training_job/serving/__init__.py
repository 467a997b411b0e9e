"""The serving code: it travels in an artifact's `code/` folder and in the slim image.

Layout of `model.tar.gz`: files named in `ENTRY_POINTS` go to `code/`, every other `*.py` file of this folder to
`code/serving/`. The package `server` is not part of an artifact; only the slim image has it.

All imports are absolute (`from serving.predictor import …`), so that the same files work in the artifact, where `code/`
is on the path, and in the source tree, where `training_job/` is. Nothing here imports `classifier`. torch is imported
only if onnxruntime is missing.
"""

ENTRY_POINTS = ("inference.py",)
"""Files that a serving container starts or imports by name."""
