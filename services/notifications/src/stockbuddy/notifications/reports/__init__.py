"""Tells people about reports that were produced on a schedule."""
