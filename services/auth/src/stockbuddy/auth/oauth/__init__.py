"""OAuth2 (RFC 6749 and 9700): authorization of apps, tokens, revocation and metadata."""
