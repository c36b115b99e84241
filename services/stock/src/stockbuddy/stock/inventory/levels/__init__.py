"""Levels: how much there is, and where."""
