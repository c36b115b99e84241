"""Indexes of the audit trail: by actor's name, by client address, and by type (index-only)."""

from alembic import op

revision = "0004"
down_revision = "0003"

INDEXES = (
    "CREATE INDEX event_log_audited_by_type ON event_log (type, position) WHERE audited",
    "CREATE INDEX event_log_by_actor_name ON event_log (actor, position) WHERE audited",
    "CREATE INDEX event_log_by_client_ip ON event_log (client_ip, position) WHERE audited",
)


def upgrade() -> None:
    for index in INDEXES:
        op.execute(index)
