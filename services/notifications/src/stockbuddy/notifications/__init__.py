"""Event log, audit trail, feed, streams, webhooks and notifications."""
