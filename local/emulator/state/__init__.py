"""The state folder, and saving into it."""
