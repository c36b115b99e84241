"""Read-only copies of data that other services own, kept up to date by events."""
