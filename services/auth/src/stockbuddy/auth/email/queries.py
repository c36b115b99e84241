"""SQL of the queue of e-mails."""

DUE = "SELECT FROM queued_email WHERE next_attempt_at <= now()"
"""E-mails that wait; those set aside have no next attempt."""
