"""Channel preferences per user and notification kind."""
