"""Add to the replica of users whether the address is confirmed."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0009"
down_revision = "0008"

COMMENTS = {"user_replica": {"email_confirmed": "False: the address may be a stranger's and receives no e-mail."}}


def upgrade() -> None:
    # Addresses from before the confirmation of addresses count as confirmed, as in auth.
    op.execute("ALTER TABLE user_replica ADD email_confirmed boolean NOT NULL DEFAULT true")
    for statement in comment_statements(COMMENTS):
        op.execute(statement)
