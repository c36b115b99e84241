"""Alembic's entry: runs in the connection that the chassis holds."""

from stockbuddy.chassis.postgres.migrations import run_environment

run_environment()
