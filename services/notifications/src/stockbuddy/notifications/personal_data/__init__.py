"""What this service stores about customers and users."""
