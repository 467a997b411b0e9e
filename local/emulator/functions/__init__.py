"""Lambda functions: their execution environments, and the concurrency that an account has."""
