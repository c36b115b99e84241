"""What services say to each other and to strangers: events, and the queues that carry them. Needs only pydantic."""
