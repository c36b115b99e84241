"""Jobs: requests that are answered in the background."""

from stockbuddy.chassis.postgres.schema import create_job_tables

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    create_job_tables()
