"""Jobs: requests that are answered in the background."""

from stockbuddy.chassis.postgres.schema import create_job_tables

revision = "0068"
down_revision = "0067"


def upgrade() -> None:
    create_job_tables()
