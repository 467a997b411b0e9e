"""What a verdict rests on: the test set, and what each model answered to it."""
