"""Sessions: what a login opens, a refresh token prolongs and a logout ends."""
