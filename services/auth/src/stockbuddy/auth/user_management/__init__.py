"""Management of users by admins."""
