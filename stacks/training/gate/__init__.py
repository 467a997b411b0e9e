"""What judges a trained model: evidence, functions and the registry."""
