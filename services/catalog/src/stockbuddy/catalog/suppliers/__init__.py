"""Suppliers: who a product comes from."""
