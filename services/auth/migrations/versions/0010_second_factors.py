"""Add second factors: TOTP, recovery codes, challenges of logins, and when a session was last verified."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0010"
down_revision = "0009"

# The previous release inserts users and sessions without the new columns: its sessions count as not verified recently.
STATEMENTS = (
    "ALTER TABLE user_account ADD has_second_factor boolean NOT NULL DEFAULT false",
    "ALTER TABLE login_session ADD authenticated_at timestamptz, ADD second_factor_at timestamptz",
    "ALTER TABLE system_settings ADD second_factor_roles text[] NOT NULL DEFAULT '{}'",
    """
    CREATE TABLE totp_factor (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        user_id bigint NOT NULL REFERENCES user_account,
        encrypted_secret bytea NOT NULL,
        created_at timestamptz NOT NULL,
        confirmed_at timestamptz,
        last_step bigint,
        last_used_at timestamptz,
        CONSTRAINT totp_factor_used_when_confirmed CHECK ((confirmed_at IS NULL) = (last_step IS NULL))
    )
    """,
    "CREATE UNIQUE INDEX totp_factor_one_confirmed ON totp_factor (user_id) WHERE confirmed_at IS NOT NULL",
    "CREATE UNIQUE INDEX totp_factor_one_pending ON totp_factor (user_id) WHERE confirmed_at IS NULL",
    """
    CREATE TABLE recovery_code (
        digest bytea PRIMARY KEY,
        user_id bigint NOT NULL REFERENCES user_account,
        created_at timestamptz NOT NULL,
        used_at timestamptz
    )
    """,
    "CREATE INDEX recovery_code_user ON recovery_code (user_id)",
    """
    CREATE TABLE login_challenge (
        digest bytea PRIMARY KEY,
        user_id bigint NOT NULL REFERENCES user_account,
        with_cookie boolean NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX login_challenge_user ON login_challenge (user_id)",
)

COMMENTS = {
    "user_account": {
        "has_second_factor": "Whether logins require a second factor; true while the user has a confirmed one.",
    },
    "login_session": {
        "authenticated_at": "When the user last proved their identity in this session, by any means.",
        "second_factor_at": "When the user last proved it with a second factor; null: never in this session.",
    },
    "system_settings": {
        "second_factor_roles": "Roles whose users must log in with a second factor.",
    },
    "queued_email": {
        "kind": "password_reset, password_changed, email_confirmation, email_change_requested, email_changed,"
        " factors_changed or recovery_code_used.",
    },
    "totp_factor": {
        "": "Authenticator apps (TOTP, RFC 6238); a pending one replaces the confirmed one when it is confirmed.",
        "id": "Id of the factor.",
        "user_id": "User who owns the app.",
        "encrypted_secret": "Shared secret (base32), encrypted with a key derived from SECRET_KEY.",
        "created_at": "When the secret was issued.",
        "confirmed_at": "When the user entered a first code; null: pending.",
        "last_step": "Time step of the last accepted code; that code and earlier ones are refused.",
        "last_used_at": "When a code was last accepted.",
    },
    "recovery_code": {
        "": "Single-use codes that replace a lost second factor.",
        "digest": "Keyed digest of user and code.",
        "user_id": "User who received the code.",
        "created_at": "When the code was issued.",
        "used_at": "When the code was used.",
    },
    "login_challenge": {
        "": "Logins whose password was verified and whose second factor is awaited.",
        "digest": "SHA-256 of the challenge that the client received.",
        "user_id": "User who logs in.",
        "with_cookie": "Whether a browser logs in, which receives cookies instead of tokens.",
        "created_at": "When the password was verified.",
        "expires_at": "When the login must start again.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
