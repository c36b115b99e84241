"""Purchase orders: what is on its way, and what of it has arrived."""
