"""Roles, and the rights that they give to users and API keys."""
