"""Webhooks, their deliveries, and the progress of the fan-out."""

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = (
    # `expression` is `event_types` as a regular expression; events up to `since_position` are not delivered.
    # The secret is stored in plain text, because signing needs it.
    """
    CREATE TABLE webhook (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT webhook_pkey PRIMARY KEY,
        version integer NOT NULL DEFAULT 1,
        url text NOT NULL,
        description text,
        event_types text[] NOT NULL CONSTRAINT webhook_event_types_check CHECK (cardinality(event_types) > 0),
        expression text NOT NULL,
        is_active boolean NOT NULL DEFAULT true,
        since_position bigint NOT NULL,
        secret text NOT NULL,
        previous_secret text,
        previous_secret_until timestamptz,
        failing_since timestamptz,
        disabled_reason text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    # The body is the event at `position` of the log, or, for a test, `sample`. `attempts` counts all attempts,
    # `tries` those since the last request.
    """
    CREATE TABLE webhook_delivery (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT webhook_delivery_pkey PRIMARY KEY,
        webhook_id bigint NOT NULL
            CONSTRAINT webhook_delivery_webhook_fkey REFERENCES webhook ON DELETE CASCADE,
        event_id uuid NOT NULL,
        event_type text NOT NULL,
        position bigint,
        sample json,
        state text NOT NULL DEFAULT 'pending'
            CONSTRAINT webhook_delivery_state_check CHECK (state IN ('pending', 'delivered', 'failed')),
        attempts integer NOT NULL DEFAULT 0,
        tries integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL DEFAULT now(),
        log json[] NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        CONSTRAINT webhook_delivery_event_key UNIQUE (webhook_id, event_id),
        CONSTRAINT webhook_delivery_content_check CHECK ((position IS NULL) <> (sample IS NULL))
    )
    """,
    "CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, next_attempt_at) WHERE state = 'pending'",
    "CREATE INDEX webhook_delivery_by_webhook ON webhook_delivery (webhook_id, id)",
    "CREATE INDEX webhook_delivery_by_age ON webhook_delivery (finished_at) WHERE state <> 'pending'",
    """
    CREATE TABLE webhook_progress (
        single boolean DEFAULT true CONSTRAINT webhook_progress_pkey PRIMARY KEY
            CONSTRAINT webhook_progress_single_check CHECK (single),
        position bigint NOT NULL
    )
    """,
    "INSERT INTO webhook_progress (position) SELECT position FROM event_log_head",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
