"""Everything that travels in an artifact's `code/` folder and answers requests there.

How this folder gets into `model.tar.gz` (one rule, and the only one):

* the files named in `ENTRY_POINTS` go to `code/`;
* every other `*.py` file goes to `code/serving/`;
* the package `server` stays out: it is baked into the slim image, to which an artifact brings the model only.

All imports inside are absolute (`from serving.predictor import …`), so the same files work in the artifact, where
`code/` is on the path, and in the source tree, where `training_job/` is. Nothing here imports `classifier`, and
torch is imported only where onnxruntime is missing.
"""

ENTRY_POINTS = ("inference.py",)
"""Files that a serving container starts or imports by name: they belong directly under `code/`."""
