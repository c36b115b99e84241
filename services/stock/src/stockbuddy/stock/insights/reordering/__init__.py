"""Reordering: what should be ordered now, why, and the rules that people set for it."""
