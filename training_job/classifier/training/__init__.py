"""Fitting the model, checkpoints, and the student."""
