"""Categories: product groups that nest."""
