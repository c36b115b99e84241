"""Replicate roles, and limit webhooks to what the user who last changed them may see."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0012"
down_revision = "0011"

STATEMENTS = (
    "CREATE TABLE role_replica (name text PRIMARY KEY, version bigint NOT NULL, permissions text[] NOT NULL)",
    """
    ALTER TABLE webhook ADD owner_id bigint, ADD granted text[], ADD visible_expression text,
        ADD field_permissions text[]
    """,
    "CREATE INDEX webhook_owner ON webhook (owner_id)",
)

COMMENTS = {
    "role_replica": {
        "": "Replica of the roles that admins have defined.",
        "name": "Name of the role.",
        "version": "Version of the role; an older one changes nothing.",
        "permissions": "Names of its permissions.",
    },
    "webhook": {
        "owner_id": "User who last changed it; null: an admin, in an earlier release.",
        "granted": "Permissions of the credential that last changed it; null: all.",
        "visible_expression": "Types of the events that the owner may see, as a regular expression; null: all.",
        "field_permissions": "Permissions of the owner that fields of events require; null: all.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
