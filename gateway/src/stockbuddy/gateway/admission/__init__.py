"""Admission: the checks before a request is proxied: host, body size, credentials, rate limits."""
