"""Keep the version of a day's last movement with its closing balance, so that the average cost at the end of the day is
that of the newest version, whenever it was recorded. The service recomputes all closing balances in the background."""

from alembic import op

revision = "0055"
down_revision = "0054"

STATEMENTS = (
    "TRUNCATE closing_balance, closing_progress",
    # The default is for replicas of the previous release, which still run during the migration.
    "ALTER TABLE closing_balance ADD COLUMN version bigint NOT NULL DEFAULT 0",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
