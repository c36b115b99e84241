"""Changes and resets of passwords."""
