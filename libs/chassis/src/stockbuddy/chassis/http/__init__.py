"""The HTTP side of a service: app, authentication, errors, conditional and idempotent requests, pagination."""
