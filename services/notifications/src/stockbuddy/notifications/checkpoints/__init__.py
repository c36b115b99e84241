"""Signed checkpoints: heads of the chain that reveal a rewritten log to an auditor who kept one (ADR 30)."""
