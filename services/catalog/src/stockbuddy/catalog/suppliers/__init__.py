"""Suppliers: companies that products are bought from."""
