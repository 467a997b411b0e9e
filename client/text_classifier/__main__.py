"""`python -m text_classifier`: the same as the command `text-classifier`."""

from text_classifier.cli import run

run()
