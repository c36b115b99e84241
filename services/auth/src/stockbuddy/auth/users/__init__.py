"""User accounts and one's own profile."""
