"""One's own profile, and the confirmation of e-mail addresses."""
