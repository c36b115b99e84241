"""Add roles of admins' making, scopes and networks of API keys, and the role of users who register themselves."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    """
    CREATE TABLE role (
        name text PRIMARY KEY,
        description text,
        permissions text[] NOT NULL,
        max_discount_percent numeric(5, 2),
        warehouse_ids bigint[],
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
    )
    """,
    "ALTER TABLE user_account DROP CONSTRAINT user_account_role_known",
    "ALTER TABLE invitation DROP CONSTRAINT invitation_role_known",
    "ALTER TABLE api_key DROP CONSTRAINT api_key_role_known",
    "CREATE INDEX user_account_role ON user_account (role) WHERE role NOT IN ('salesperson', 'manager', 'admin')",
    "CREATE INDEX api_key_role ON api_key (role) WHERE role NOT IN ('salesperson', 'manager', 'admin')",
    "ALTER TABLE api_key ADD scopes text[], ADD networks text[]",
    "ALTER TABLE system_settings ADD registration_role text NOT NULL DEFAULT 'salesperson'",
)

COMMENTS = {
    "role": {
        "": "Roles that admins have defined; the built-in ones are code.",
        "name": "Name, which users, API keys and invitations refer to; it never changes.",
        "description": "What the role is for.",
        "permissions": "Names of its permissions.",
        "max_discount_percent": "Largest discount on the list price in a sale; null: no limit.",
        "warehouse_ids": "Warehouses in which it may change stock; null: all.",
        "version": "Increases by one with each change; also the entity tag.",
        "created_at": "When it was created.",
        "updated_at": "When it was last changed.",
    },
    "user_account": {"role": "viewer, salesperson, manager, admin, or the name of a role of an admin's making."},
    "api_key": {
        "scopes": "Permissions that the key is restricted to; null: those of its role.",
        "networks": "Networks (CIDR) from which it is accepted; null: from everywhere.",
    },
    "system_settings": {"registration_role": "Role of users who register themselves."},
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
