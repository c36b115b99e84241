"""Invitations: tokens of ten characters with which sales staff make their own account, once each."""
