"""Warehouses, stock levels and movements."""
