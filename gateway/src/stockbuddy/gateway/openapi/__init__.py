"""One OpenAPI document for all services, and pages that display it."""
