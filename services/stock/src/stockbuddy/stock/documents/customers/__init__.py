"""Customers: to whom was sold."""
