"""Create settings, login counters, queued e-mails, password resets, invitations and API keys; add session cookies."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    """
    CREATE TABLE system_settings (
        id boolean PRIMARY KEY CONSTRAINT system_settings_is_one_row CHECK (id),
        company_name text NOT NULL,
        currency text NOT NULL,
        timezone text NOT NULL,
        registration_open boolean NOT NULL,
        default_low_stock_threshold numeric(15, 3) NOT NULL
            CONSTRAINT system_settings_threshold_not_negative CHECK (default_low_stock_threshold >= 0),
        alert_emails text[] NOT NULL,
        negative_stock text NOT NULL
            CONSTRAINT system_settings_negative_stock_known CHECK (negative_stock IN ('reject', 'allow')),
        version integer NOT NULL,
        updated_at timestamptz NOT NULL
    )
    """,
    """
    INSERT INTO system_settings
    VALUES (true, 'Stockbuddy', 'USD', 'UTC', true, 10, '{}', 'reject', 1, now())
    """,
    """
    CREATE TABLE login_throttle (
        key bytea PRIMARY KEY,
        failures integer NOT NULL,
        counted_at timestamptz NOT NULL,
        blocked_until timestamptz
    )
    """,
    "CREATE INDEX login_throttle_by_age ON login_throttle (counted_at)",
    """
    CREATE TABLE known_address (
        user_id bigint NOT NULL REFERENCES user_account,
        address text NOT NULL,
        last_login_at timestamptz NOT NULL,
        PRIMARY KEY (user_id, address)
    )
    """,
    "CREATE INDEX known_address_by_age ON known_address (last_login_at)",
    """
    CREATE TABLE letter (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind text NOT NULL,
        recipient text NOT NULL,
        request_id text,
        client_ip text,
        written_at timestamptz NOT NULL,
        attempts integer NOT NULL,
        next_attempt_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX letter_due ON letter (next_attempt_at)",
    """
    CREATE UNIQUE INDEX letter_one_reset_each ON letter (lower(recipient)) WHERE kind = 'password_reset'
    """,
    """
    CREATE TABLE password_reset (
        digest bytea PRIMARY KEY,
        user_id bigint NOT NULL REFERENCES user_account,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz
    )
    """,
    "CREATE INDEX password_reset_user ON password_reset (user_id)",
    """
    CREATE TABLE invitation (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token_digest bytea NOT NULL CONSTRAINT invitation_token_key UNIQUE,
        role text NOT NULL CONSTRAINT invitation_role_known CHECK (role IN ('salesperson', 'manager', 'admin')),
        warehouse_ids bigint[],
        note text,
        created_by bigint NOT NULL REFERENCES user_account,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        used_by bigint REFERENCES user_account,
        CONSTRAINT invitation_used_by_somebody CHECK ((used_at IS NULL) = (used_by IS NULL))
    )
    """,
    """
    CREATE TABLE api_key (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        owner_id bigint NOT NULL REFERENCES user_account,
        name text NOT NULL,
        digest bytea NOT NULL CONSTRAINT api_key_digest_key UNIQUE,
        hint text NOT NULL,
        role text NOT NULL CONSTRAINT api_key_role_known CHECK (role IN ('salesperson', 'manager', 'admin')),
        warehouse_ids bigint[],
        generation integer NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz
    )
    """,
    "CREATE INDEX api_key_live ON api_key (owner_id) WHERE revoked_at IS NULL",
    "ALTER TABLE login_session ADD cookie_digest bytea CONSTRAINT login_session_cookie_key UNIQUE",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
