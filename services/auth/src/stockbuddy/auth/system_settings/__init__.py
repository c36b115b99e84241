"""The system's settings: what the company is called, what it counts in, and what it allows."""
