"""What each verb does, and its options."""
