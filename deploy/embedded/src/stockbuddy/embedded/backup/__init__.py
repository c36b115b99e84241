"""Backups of a whole installation in one encrypted file: database, product images and secrets at one point in time."""
