"""Alembic's entry point; runs in the chassis' connection."""

from stockbuddy.chassis.postgres.migrations import run_environment

run_environment()
