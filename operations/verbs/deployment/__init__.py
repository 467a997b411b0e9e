"""One environment: before its deployment, while it runs, and after it."""
