"""Alembic's entry: the chassis runs it."""

from stockbuddy.chassis.migrations import run_environment

run_environment()
