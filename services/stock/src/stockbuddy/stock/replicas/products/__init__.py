"""The copy of the catalogue: kept by events, asked by every document."""
