"""What becomes of the model package, and the forms in which it is recorded."""
