"""API keys: credentials of machines."""
