"""Exports: many products as one file."""
