"""Second factors of users: authenticator apps (TOTP), recovery codes and passkeys (WebAuthn)."""
