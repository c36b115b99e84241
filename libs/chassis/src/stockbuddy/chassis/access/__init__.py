"""Named permissions and the built-in roles: who may do and see what."""
