"""The data step of a training run: copies the data files into the data bucket, under their hash."""
