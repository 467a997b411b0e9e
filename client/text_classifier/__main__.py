"""The command `python -m text_classifier`, the same as `text-classifier`."""

from text_classifier.cli import run

run()
