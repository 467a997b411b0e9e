"""Custom resource that empties a model package group before CloudFormation deletes it."""
