"""Servers that an embedded run or a test starts for itself: PostgreSQL, RabbitMQ, and their clean-up."""
