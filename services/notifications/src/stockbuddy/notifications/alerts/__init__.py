"""Low-stock alerts: the state per level and the notifications it causes."""
