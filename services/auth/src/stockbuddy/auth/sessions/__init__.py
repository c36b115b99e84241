"""Login sessions: created by a login, extended by refresh tokens, revoked by a logout."""
