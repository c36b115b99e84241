"""Movements: the lines of the ledger. Documents post most of them; some are posted directly."""
