"""Registration of admins; the first one requires the bootstrap token."""
