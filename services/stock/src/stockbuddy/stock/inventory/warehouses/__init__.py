"""Warehouses and stores. Exactly one is the default; one that contains stock cannot be deleted."""
