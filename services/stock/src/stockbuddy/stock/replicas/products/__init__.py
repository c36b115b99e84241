"""Replica of catalog's products and category names."""
