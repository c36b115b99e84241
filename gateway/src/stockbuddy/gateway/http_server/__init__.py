"""The HTTP server at the public port: framing, limits and orderly closing of connections (docs/adr/0015)."""
