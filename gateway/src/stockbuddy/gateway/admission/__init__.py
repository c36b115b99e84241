"""What a request must pass before it reaches a service: who calls, from where, with how much."""
