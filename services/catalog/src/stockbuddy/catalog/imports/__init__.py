"""Imports: many products from one file, as a job."""
