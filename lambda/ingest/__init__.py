"""The data step of a training run: the files, from wherever they lie, into the bucket under their hash."""
