"""Reorder rules, reorder suggestions, and purchase orders new_draft from them."""
