"""Signing keys: storage, rotation, and the access tokens that they sign."""
