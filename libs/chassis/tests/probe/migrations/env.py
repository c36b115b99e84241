"""The Alembic environment of the probe service."""

from stockbuddy.chassis.postgres.migrations import run_environment

run_environment()
