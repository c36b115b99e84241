"""Signing keys and the access tokens that they sign."""
