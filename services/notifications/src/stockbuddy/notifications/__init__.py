"""Who must know: the event log, the audit trail, notifications, webhooks and the live stream."""
