"""The training recipe: fit the model, teach a student, keep checkpoints."""
