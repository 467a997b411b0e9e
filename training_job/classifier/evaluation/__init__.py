"""Accuracy, F1 and their intervals: one implementation for the training job, the gate and `make evaluate`."""
