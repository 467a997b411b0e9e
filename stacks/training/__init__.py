"""Training: from raw data to a judged model package."""
