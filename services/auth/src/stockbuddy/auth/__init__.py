"""Auth: users, sessions, API keys, invitations, signing keys and system settings."""
