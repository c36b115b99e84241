"""Webhooks: subscriptions, fan-out, delivery and egress policy."""
