"""How Alembic runs the probe's migrations."""

from stockbuddy.chassis.migrations import run_environment

run_environment()
