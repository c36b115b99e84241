"""Routing: from method and path to the service that owns the resource."""
