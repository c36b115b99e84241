"""The time of a day's last movement, because a late movement may have occurred before it."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE closing_balance ADD COLUMN last_occurred_at timestamptz NOT NULL DEFAULT '-infinity'")
