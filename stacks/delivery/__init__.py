"""What GitHub Actions may do in the account."""
