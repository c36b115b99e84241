"""Lists and searches of products."""
