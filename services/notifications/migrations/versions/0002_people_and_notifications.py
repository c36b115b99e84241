"""Data replicas of users, settings and names; notifications, their read state, and channel preferences."""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = (
    """
    CREATE TABLE person (
        id bigint CONSTRAINT person_pkey PRIMARY KEY,
        version bigint NOT NULL,
        username text NOT NULL,
        email text NOT NULL,
        full_name text,
        role text NOT NULL,
        is_active boolean NOT NULL
    )
    """,
    """
    CREATE TABLE company (
        single boolean DEFAULT true CONSTRAINT company_pkey PRIMARY KEY CONSTRAINT company_single_check CHECK (single),
        version bigint NOT NULL,
        name text NOT NULL,
        alert_emails text[] NOT NULL
    )
    """,
    # Names of products and warehouses by subject (`product/42`).
    """
    CREATE TABLE name (
        subject text COLLATE "C" CONSTRAINT name_pkey PRIMARY KEY,
        version bigint NOT NULL,
        name text NOT NULL
    )
    """,
    """
    CREATE TABLE preference (
        user_id bigint NOT NULL,
        kind text NOT NULL,
        in_app boolean NOT NULL,
        email boolean NOT NULL,
        CONSTRAINT preference_pkey PRIMARY KEY (user_id, kind)
    )
    """,
    "CREATE INDEX preference_by_email ON preference (kind) WHERE email",
    """
    CREATE TABLE notification (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT notification_pkey PRIMARY KEY,
        audience text COLLATE "C" NOT NULL
            CONSTRAINT notification_audience_check CHECK (audience ~ '^(user/[0-9]+|role/[a-z]+|everyone)$'),
        kind text NOT NULL,
        title text NOT NULL,
        body text NOT NULL,
        about_subject text,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX notification_by_audience ON notification (audience, id)",
    "CREATE INDEX notification_by_age ON notification (created_at)",
    """
    CREATE TABLE notification_read (
        user_id bigint NOT NULL,
        notification_id bigint NOT NULL
            CONSTRAINT notification_read_notification_fkey REFERENCES notification ON DELETE CASCADE,
        read_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT notification_read_pkey PRIMARY KEY (notification_id, user_id)
    )
    """,
    # Alert state per level, so that one crossing raises one alert. `version` is the level's.
    """
    CREATE TABLE level_alert (
        product_id bigint NOT NULL,
        warehouse_id bigint NOT NULL,
        lot bigint NOT NULL,
        version bigint NOT NULL,
        state text NOT NULL CONSTRAINT level_alert_state_check CHECK (state IN ('well', 'low', 'depleted')),
        CONSTRAINT level_alert_pkey PRIMARY KEY (product_id, warehouse_id, lot)
    )
    """,
    # One row per event and recipient; the unique key prevents a second e-mail.
    """
    CREATE TABLE mail (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT mail_pkey PRIMARY KEY,
        cause uuid NOT NULL,
        recipient text NOT NULL,
        kind text NOT NULL,
        content json NOT NULL,
        state text NOT NULL DEFAULT 'pending'
            CONSTRAINT mail_state_check CHECK (state IN ('pending', 'sent', 'failed')),
        message_id text,
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL DEFAULT now(),
        last_error text,
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        CONSTRAINT mail_cause_recipient_key UNIQUE (cause, recipient)
    )
    """,
    "CREATE INDEX mail_due ON mail (next_attempt_at, id) WHERE state = 'pending'",
    "CREATE INDEX mail_by_message ON mail (message_id) WHERE state = 'pending'",
    "CREATE INDEX mail_by_age ON mail (finished_at) WHERE state <> 'pending'",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
