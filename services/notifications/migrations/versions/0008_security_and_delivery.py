"""Epochs of the event log, encrypted webhook secrets, the failing time of webhooks, and reasons of failed e-mails."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    """
    CREATE TABLE event_log_epoch (
        single boolean DEFAULT true CONSTRAINT event_log_epoch_pkey PRIMARY KEY
            CONSTRAINT event_log_epoch_single_check CHECK (single),
        epoch bigint NOT NULL CONSTRAINT event_log_epoch_epoch_check CHECK (epoch BETWEEN 0 AND 9000),
        storage_id text
    )
    """,
    "INSERT INTO event_log_epoch (epoch) VALUES (0)",
    # A tsvector has at most 1 MiB: the words of a larger event could not be indexed, so it could not be appended.
    """
    CREATE OR REPLACE FUNCTION event_log_words(type text, subject text, actor text, client_ip text, data json)
    RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_tsvector(
            'simple', translate(type || ' ' || coalesce(subject, '') || ' ' || coalesce(actor, ''), './', '  '))
        || to_tsvector('simple', coalesce(client_ip, ''))
        || CASE WHEN octet_length(data::text) <= 262144
                THEN json_to_tsvector('simple', data, '["string", "numeric"]') ELSE '' END
    """,
    """
    CREATE TABLE webhook_secret (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT webhook_secret_pkey PRIMARY KEY,
        webhook_id bigint NOT NULL
            CONSTRAINT webhook_secret_webhook_fkey REFERENCES webhook ON DELETE CASCADE,
        encrypted_secret bytea NOT NULL,
        signs_until timestamptz
    )
    """,
    "CREATE INDEX webhook_secret_by_webhook ON webhook_secret (webhook_id, id)",
    # The service encrypts the secrets at its next start; the migration does not know the key.
    "ALTER TABLE webhook ALTER COLUMN secret DROP NOT NULL",
    "ALTER TABLE webhook ADD COLUMN failing_seconds double precision NOT NULL DEFAULT 0",
    "ALTER TABLE webhook ADD COLUMN failed_attempts integer NOT NULL DEFAULT 0",
    "ALTER TABLE webhook ADD COLUMN last_failure_at timestamptz",
    "ALTER TABLE webhook ADD COLUMN warned_at timestamptz",
    "ALTER TABLE webhook ADD COLUMN failure_announced_at timestamptz",
)

COMMENTS = {
    "event_log_epoch": {
        "": "The epoch of the event log, which is part of its cursors; a restore begins a new one.",
        "single": "Limits the table to one row.",
        "epoch": "Number of the epoch, random except for the first one.",
        "storage_id": "System identifier, database and table in which the log was at the last start.",
    },
    "webhook_secret": {
        "": "Secrets with which the deliveries of a webhook are signed; the newest is the current one.",
        "id": "Order of creation.",
        "webhook_id": "Webhook.",
        "encrypted_secret": "The secret, encrypted with a key derived from SECRET_KEY.",
        "signs_until": "When it stops signing; null for the current one.",
    },
    "webhook": {
        "secret": "No longer used: secrets from before encryption, until the next start of the service.",
        "previous_secret": "No longer used, like secret.",
        "previous_secret_until": "No longer used, like secret.",
        "failing_since": "First failure since the last success.",
        "failing_seconds": "Time since then during which a delivery was failing.",
        "failed_attempts": "Failed attempts since then.",
        "last_failure_at": "When the latest attempt failed.",
        "warned_at": "When admins were warned that it will be disabled.",
        "failure_announced_at": "When admins were last notified of a delivery that failed for good.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
