"""The gate of a training run: evidence of what the packaged model answers, and a verdict from statistics."""
