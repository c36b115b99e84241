"""Events between services: outbox, relay, bus, inbox and dead letters."""
