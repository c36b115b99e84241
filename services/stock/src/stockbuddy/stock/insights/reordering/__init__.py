"""Reorder rules, reorder suggestions, and purchase orders drafted from them."""
