"""What admins do with users."""
