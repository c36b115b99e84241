"""Add passkeys (WebAuthn) and the challenges of their ceremonies."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    """
    CREATE TABLE passkey (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        user_id bigint NOT NULL REFERENCES user_account,
        credential_id bytea NOT NULL CONSTRAINT passkey_credential_id_key UNIQUE,
        public_key bytea NOT NULL,
        sign_count bigint NOT NULL,
        name text NOT NULL,
        transports text[] NOT NULL,
        is_backed_up boolean NOT NULL,
        created_at timestamptz NOT NULL,
        last_used_at timestamptz,
        disabled_at timestamptz
    )
    """,
    "CREATE INDEX passkey_user ON passkey (user_id)",
    """
    CREATE TABLE passkey_challenge (
        digest bytea PRIMARY KEY,
        purpose text NOT NULL,
        user_id bigint REFERENCES user_account,
        expires_at timestamptz NOT NULL,
        CONSTRAINT passkey_challenge_user_unless_login CHECK ((purpose = 'login') = (user_id IS NULL))
    )
    """,
)

COMMENTS = {
    "queued_email": {
        "kind": "password_reset, password_changed, email_confirmation, email_change_requested, email_changed,"
        " factors_changed, passkey_disabled or recovery_code_used.",
    },
    "passkey": {
        "": "Passkeys and security keys (WebAuthn).",
        "id": "Id of the passkey.",
        "user_id": "User who owns the passkey.",
        "credential_id": "Id that the authenticator gave the credential.",
        "public_key": "Public key (COSE) that verifies the authenticator's signatures.",
        "sign_count": "Signature counter of the last use; one that does not grow reveals a copy.",
        "name": "Name that the user gave the passkey.",
        "transports": "How browsers reach the authenticator, such as usb or internal.",
        "is_backed_up": "Whether the authenticator synchronises the passkey to other devices.",
        "created_at": "When the passkey was registered.",
        "last_used_at": "When it was last used; null: never.",
        "disabled_at": "When its counter revealed a copy; it is refused since then.",
    },
    "passkey_challenge": {
        "": "Started ceremonies (WebAuthn); the second step of a login has its challenge in login_challenge.",
        "digest": "SHA-256 of the token that the client received; also the challenge that the authenticator signs.",
        "purpose": "registration, step_up or login (with a passkey alone).",
        "user_id": "User who started the ceremony; null for a login, whose passkey names the user.",
        "expires_at": "When the ceremony must start again.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
