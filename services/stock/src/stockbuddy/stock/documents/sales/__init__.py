"""Sales and what comes back of them."""
