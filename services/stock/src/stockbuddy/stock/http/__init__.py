"""What all routes of the service share."""
