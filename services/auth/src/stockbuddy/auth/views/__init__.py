"""Saved views: the filters, sorting and columns of a list that users keep under a name and may share."""
