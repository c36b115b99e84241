"""Notifications in the app, and announcements."""
