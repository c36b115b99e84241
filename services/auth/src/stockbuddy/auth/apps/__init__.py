"""Apps of third parties, the consents of users, and the grants that apps have received."""
