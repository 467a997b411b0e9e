"""Asks the endpoint test sentences after a release, and compares its answers with the package's evidence."""
