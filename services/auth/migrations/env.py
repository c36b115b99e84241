"""Alembic's entry: the chassis runs it."""

from stockbuddy.chassis.postgres.migrations import run_environment

run_environment()
