"""The copy of the suppliers: kept by events, asked when something is ordered."""
