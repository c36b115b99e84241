"""Single sign-on: browsers sign in at identity providers with OpenID Connect."""
