"""What a verdict is based on: the test set, and what each model answered to it."""
