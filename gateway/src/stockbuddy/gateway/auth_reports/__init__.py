"""Asynchronous reports to auth: denied requests, and last activity of sessions and API keys."""
