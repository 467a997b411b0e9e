"""The CDK app's stacks and the configuration they are built from."""
