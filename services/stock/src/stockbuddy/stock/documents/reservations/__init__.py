"""Reservations: stock set aside until it is sold, released, or the reservation expires."""
