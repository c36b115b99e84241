"""Transfers between warehouses; stock in transit belongs to neither."""
