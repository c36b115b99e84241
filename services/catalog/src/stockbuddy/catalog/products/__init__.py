"""Products: what is traded."""
