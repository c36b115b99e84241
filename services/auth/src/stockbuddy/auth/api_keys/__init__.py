"""API keys: machines that act for somebody, with at most that somebody's rights."""
