"""Letters to users: what they say, and the work of sending them."""
