"""Runs the whole system on one machine, and two clients of its API: demo data and the import of a sales history."""
