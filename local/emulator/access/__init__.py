"""Who acts, with which rights, and whether policies allow it."""
