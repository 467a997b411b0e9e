"""The first step of the training workflow: checks an execution's input and completes it from the configuration."""
