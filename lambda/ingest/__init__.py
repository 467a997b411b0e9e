"""The first step of a training run: data into the bucket, and a checked request for the training job."""
