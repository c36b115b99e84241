"""What every Stockbuddy service stands on, and that knows no service (a microservice chassis)."""
