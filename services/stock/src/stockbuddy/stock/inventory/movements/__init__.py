"""Movements: the lines of the ledger, and those that are posted by hand."""
