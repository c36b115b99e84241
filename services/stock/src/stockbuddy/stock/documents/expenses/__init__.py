"""Expenses other than purchases of stock."""
