"""The gateway's exchange: a short token for an API key or a browser's cookie."""
