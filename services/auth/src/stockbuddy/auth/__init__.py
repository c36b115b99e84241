"""Auth: who may do what. Users, sessions, API keys, invitations, signing keys and the system's settings."""
