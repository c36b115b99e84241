"""Add confirmation of addresses, skeletons of usernames, and e-mails that are set aside."""

from collections.abc import Iterable

import sqlalchemy
from alembic import op

from stockbuddy.auth.usernames import username_skeleton
from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0005"
down_revision = "0004"

# Addresses from before this migration count as confirmed: their users could always receive e-mails. `email_confirmed`
# and `username_skeleton` have no NOT NULL without a default, because the previous release still inserts users.
STATEMENTS = (
    """
    ALTER TABLE user_account
        ADD email_confirmed boolean NOT NULL DEFAULT true,
        ADD pending_email text,
        ADD username_skeleton text
    """,
    "ALTER TABLE user_account ALTER email_confirmed SET DEFAULT false",
    """
    CREATE TABLE email_confirmation (
        digest bytea PRIMARY KEY,
        user_id bigint NOT NULL REFERENCES user_account,
        email text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz
    )
    """,
    "CREATE INDEX email_confirmation_user ON email_confirmation (user_id, created_at)",
    """
    ALTER TABLE queued_email
        ADD user_id bigint REFERENCES user_account,
        ADD last_error text,
        ADD failed_at timestamptz,
        ALTER next_attempt_at DROP NOT NULL,
        ADD CONSTRAINT queued_email_due_unless_failed CHECK ((next_attempt_at IS NULL) = (failed_at IS NOT NULL)),
        ADD CONSTRAINT queued_email_failure_has_reason CHECK (failed_at IS NULL OR last_error IS NOT NULL)
    """,
    "CREATE INDEX queued_email_failed ON queued_email (failed_at) WHERE failed_at IS NOT NULL",
    "DROP INDEX queued_email_one_reset_per_recipient",
    """
    CREATE UNIQUE INDEX queued_email_one_token_per_recipient
        ON queued_email (kind, lower(recipient), coalesce(user_id, 0))
        WHERE kind IN ('password_reset', 'email_confirmation') AND failed_at IS NULL
    """,
)

# Of names that look alike the admin's, then the oldest one gets the skeleton; the others keep their name without one.
USERS = "SELECT id, username FROM user_account ORDER BY (role = 'admin' AND is_active) DESC, id"

COMMENTS = {
    "user_account": {
        "email_confirmed": "Whether the user has shown to receive e-mails at the address.",
        "pending_email": "Address that replaces email when it is confirmed.",
        "username_skeleton": "Equal for usernames that look alike (UTS 39); null if an earlier user's is equal.",
    },
    "queued_email": {
        "kind": "password_reset, password_changed, email_confirmation, email_change_requested or email_changed.",
        "next_attempt_at": "When it is due; also the end of the lease of a running attempt; null if set aside.",
        "user_id": "User whom the e-mail is about; null for a password reset.",
        "last_error": "Why the last attempt failed.",
        "failed_at": "When the e-mail was set aside; an admin may retry it.",
    },
    "email_confirmation": {
        "": "Tokens that confirm e-mail addresses.",
        "digest": "SHA-256 of the token.",
        "user_id": "User whose address is confirmed.",
        "email": "Address that the token was sent to.",
        "created_at": "When the token was issued.",
        "expires_at": "End of the token's validity.",
        "used_at": "When the token was used.",
    },
}


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    _fill_skeletons()
    op.execute("CREATE UNIQUE INDEX user_account_username_skeleton_key ON user_account (username_skeleton)")
    for statement in comment_statements(COMMENTS):
        op.execute(statement)


def _fill_skeletons() -> None:
    connection = op.get_bind()
    users = [(row.id, row.username) for row in connection.execute(sqlalchemy.text(USERS))]
    update = sqlalchemy.text("UPDATE user_account SET username_skeleton = :skeleton WHERE id = :id")
    for user_id, skeleton in choose_skeletons(users).items():
        connection.execute(update, {"skeleton": skeleton, "id": user_id})


def choose_skeletons(users: Iterable[tuple[int, str]]) -> dict[int, str]:
    """User id → skeleton: of several users with the same one, the first gets it."""
    owners: dict[str, int] = {}
    for user_id, username in users:
        owners.setdefault(username_skeleton(username), user_id)
    return {user_id: skeleton for skeleton, user_id in owners.items()}
