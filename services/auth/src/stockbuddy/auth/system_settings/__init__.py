"""Company-wide settings: name, currency, time zone, registration, stock thresholds."""
