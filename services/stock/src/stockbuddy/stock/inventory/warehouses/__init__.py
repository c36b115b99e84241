"""Warehouses and stores: where stock lies, and what may happen there."""
