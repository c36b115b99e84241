"""Loads a retailer's invoice history through the public API, as a client of it would.

Read: `history` (lines and their dirt) → `cancellations` (what each return refers to) → `load` (the calls) → `report`.
"""
