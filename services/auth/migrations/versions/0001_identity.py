"""Create users, sessions, signing keys and the bootstrap row."""

from alembic import op

from stockbuddy.chassis.postgres.schema import create_chassis_tables

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    CREATE TABLE user_account (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        username text NOT NULL,
        email text NOT NULL,
        full_name text,
        password_hash text NOT NULL,
        role text NOT NULL CONSTRAINT user_account_role_known CHECK (role IN ('salesperson', 'manager', 'admin')),
        warehouse_ids bigint[],
        is_active boolean NOT NULL,
        version integer NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT user_account_username_no_address CHECK (position('@' IN username) = 0)
    )
    """,
    "CREATE UNIQUE INDEX user_account_username_key ON user_account (lower(username))",
    "CREATE UNIQUE INDEX user_account_email_key ON user_account (lower(email))",
    "CREATE INDEX user_account_admins ON user_account (id) WHERE role = 'admin'",
    """
    CREATE TABLE login_session (
        id uuid PRIMARY KEY,
        user_id bigint NOT NULL REFERENCES user_account,
        generation integer NOT NULL,
        user_agent text,
        ip_address text,
        created_at timestamptz NOT NULL,
        last_used_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        ended_at timestamptz,
        ended_reason text,
        CONSTRAINT login_session_end_has_reason CHECK ((ended_at IS NULL) = (ended_reason IS NULL))
    )
    """,
    "CREATE INDEX login_session_live ON login_session (user_id) WHERE ended_at IS NULL",
    "CREATE INDEX login_session_ended ON login_session (ended_at)",
    "CREATE INDEX login_session_expiry ON login_session (expires_at)",
    """
    CREATE TABLE refresh_token (
        digest bytea PRIMARY KEY,
        session_id uuid NOT NULL REFERENCES login_session ON DELETE CASCADE,
        created_at timestamptz NOT NULL,
        used_at timestamptz
    )
    """,
    "CREATE INDEX refresh_token_session ON refresh_token (session_id)",
    """
    CREATE TABLE revocation (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        sid text NOT NULL,
        needed_until timestamptz NOT NULL,
        xid xid8 NOT NULL DEFAULT pg_current_xact_id()
    )
    """,
    "CREATE INDEX revocation_by_transaction ON revocation (xid)",
    "CREATE INDEX revocation_by_need ON revocation (needed_until)",
    """
    CREATE TABLE signing_key (
        kid text PRIMARY KEY,
        public_jwk json NOT NULL,
        sealed_private_key bytea NOT NULL,
        created_at timestamptz NOT NULL,
        signs_from timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE setup (
        id boolean PRIMARY KEY CONSTRAINT setup_is_one_row CHECK (id),
        token_digest bytea,
        made_at timestamptz
    )
    """,
    "INSERT INTO setup VALUES (true)",
)


def upgrade() -> None:
    create_chassis_tables()
    for statement in STATEMENTS:
        op.execute(statement)
