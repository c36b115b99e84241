"""Logins: every door that takes a name and a password."""
