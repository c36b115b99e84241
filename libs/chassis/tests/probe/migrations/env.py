"""How Alembic runs the probe's migrations."""

from stockbuddy.chassis.postgres.migrations import run_environment

run_environment()
