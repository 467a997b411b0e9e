"""Child processes, their logs and ports."""
