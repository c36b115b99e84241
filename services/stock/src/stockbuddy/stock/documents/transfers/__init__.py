"""Transfers: from one warehouse to another, and in between belonging to neither."""
