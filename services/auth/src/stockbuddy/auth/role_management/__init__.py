"""Management of the roles that admins define."""
