"""What the gateway reports beside the requests: whom it has turned away itself, and who was there."""
