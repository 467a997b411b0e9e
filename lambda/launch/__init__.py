"""The first step of the training workflow: the execution's input, checked and completed from the configuration."""
