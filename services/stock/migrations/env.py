"""Alembic's entry point: the chassis holds the connection and the transaction."""

from stockbuddy.chassis.postgres.migrations import run_environment

run_environment()
