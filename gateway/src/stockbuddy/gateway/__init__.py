"""The gateway: authentication, rate limits and routing in front of the services."""
