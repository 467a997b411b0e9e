"""What the job reports about its result."""
