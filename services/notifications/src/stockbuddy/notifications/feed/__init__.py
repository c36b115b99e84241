"""`GET /events`: the event log for clients."""
