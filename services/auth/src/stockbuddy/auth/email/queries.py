"""SQL of the e-mail queue."""

DUE = "SELECT FROM queued_email WHERE next_attempt_at <= now()"
"""E-mails to be sent now; those that were set aside have no next attempt."""
