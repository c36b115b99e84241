"""Password authentication and throttling."""
