"""Reconciliation: recomputes levels from movements and documents, and reports differences."""
