"""State on disk: when it is saved and how."""
