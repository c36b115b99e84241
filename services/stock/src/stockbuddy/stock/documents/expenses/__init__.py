"""Expenses: what the shop spends on anything but goods."""
