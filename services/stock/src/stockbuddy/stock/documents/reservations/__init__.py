"""Reservations: stock that is promised, until it is taken, let go, or its time is up."""
