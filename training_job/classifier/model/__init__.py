"""Base model, encoding, objective, and the step from one output to two logits."""
