"""The AWS calls that the commands make: stacks, workflows, registry, data, logs."""
