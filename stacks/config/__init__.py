"""One typed configuration, read once from the CDK context."""
