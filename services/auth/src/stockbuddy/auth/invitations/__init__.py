"""Invitations: single-use tokens of ten characters that let sales staff register."""
