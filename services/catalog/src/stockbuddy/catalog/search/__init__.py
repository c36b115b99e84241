"""Lists, searches and look-ups of products."""
