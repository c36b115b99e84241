"""Mail: the queue of letters and the two ways that they leave."""
