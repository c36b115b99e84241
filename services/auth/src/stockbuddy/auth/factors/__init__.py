"""Second factors of users: authenticator apps (TOTP) and recovery codes."""
