"""The read copy of the system's settings."""
