"""Identity providers: their configuration, and the client that talks to them."""
