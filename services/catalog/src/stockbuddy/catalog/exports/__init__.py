"""Exports: the products of a list as one file."""
