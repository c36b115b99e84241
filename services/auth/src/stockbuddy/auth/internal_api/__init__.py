"""Calls of the gateway (see `stockbuddy.contracts.internal`)."""
