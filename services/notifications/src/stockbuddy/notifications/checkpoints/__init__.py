"""Signed checkpoints: heads of the chain that reveal a rewritten log to whoever kept one (ADR 30)."""
