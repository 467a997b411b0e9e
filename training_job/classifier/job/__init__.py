"""The job around the training: hyperparameters, folders, processes, interruption."""
