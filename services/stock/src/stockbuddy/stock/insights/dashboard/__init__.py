"""The shop at a glance."""
