"""The one door of the system: who gets in, where to, and what comes back."""
