"""Moves former periods of the event log to files (ADR 48)."""
