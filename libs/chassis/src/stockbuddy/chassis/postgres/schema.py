"""The chassis' own tables in a service's schema, called from the service's first migration.

A change to them is a new function here, called from a new migration of each service. Idempotent objects (functions,
indexes, comments) are in ROUTINES instead, and are re-created after every migration.
"""

from alembic import op

from stockbuddy.chassis.postgres import partitions
from stockbuddy.chassis.postgres.comments import (
    CHASSIS_COMMENTS,
    JOB_COMMENTS,
    TRANSACTION_COMMENTS,
    comment_statements,
)

VERSION_1 = """
CREATE TABLE outbox_shard (shard smallint PRIMARY KEY);
INSERT INTO outbox_shard SELECT generate_series(0, 3);

CREATE TABLE outbox (
    shard smallint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    event_id uuid NOT NULL,
    routing_key text NOT NULL,
    headers json NOT NULL,
    payload json NOT NULL,
    partition_key text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, id)
) WITH (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.5);

CREATE TABLE outbox_archive (
    shard smallint NOT NULL,
    id bigint NOT NULL,
    event_id uuid NOT NULL,
    routing_key text NOT NULL,
    headers json NOT NULL,
    payload json NOT NULL,
    partition_key text NOT NULL,
    created_at timestamptz NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (archived_at);
CREATE TABLE outbox_archive_default PARTITION OF outbox_archive DEFAULT;
CREATE INDEX ON outbox_archive (archived_at);

CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('done', 'retry', 'parked', 'dead')),
    partition_key text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    last_error text,
    message text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_due ON inbox (consumer, next_attempt_at) WHERE status IN ('retry', 'parked');
CREATE INDEX inbox_parked ON inbox (consumer, partition_key) WHERE status = 'parked';
CREATE INDEX inbox_done_by_age ON inbox (created_at) WHERE status = 'done';

CREATE TABLE idempotency_key (
    caller text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint,
    body text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_key_by_age ON idempotency_key (created_at);
"""


VERSION_2 = """
ALTER TABLE idempotency_key ADD COLUMN headers json;

CREATE TABLE outbox_dead (
    event_id uuid PRIMARY KEY,
    routing_key text NOT NULL,
    headers json NOT NULL,
    payload json NOT NULL,
    partition_key text NOT NULL,
    shard smallint NOT NULL,
    error text NOT NULL,
    created_at timestamptz NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT now()
);
"""


_EVENT_TEXT = """left(CAST(headers AS text), -1) || ', "data": ' || CAST(payload AS text) || '}'"""
"""An event of the former tables in a chunk; chunks.py divides it again at its data."""

VERSION_3 = (
    """
    CREATE TABLE outbox_chunk (
        id bigint GENERATED ALWAYS AS IDENTITY,
        shard smallint NOT NULL,
        events integer NOT NULL,
        types text NOT NULL,
        body text STORAGE EXTERNAL NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        sent_at timestamptz
    ) PARTITION BY RANGE (created_at)
    """,
    "CREATE INDEX outbox_chunk_unsent ON outbox_chunk (shard, id) WHERE sent_at IS NULL",
    "CREATE INDEX outbox_chunk_by_id ON outbox_chunk (id)",
    "CREATE TABLE outbox_chunk_default PARTITION OF outbox_chunk DEFAULT",
    "CREATE TABLE outbox_group (name text PRIMARY KEY)",
    # Relays of the former release finish what they publish; commits with events wait until the end.
    "SELECT FROM outbox_shard ORDER BY shard FOR UPDATE",
    "LOCK TABLE outbox, outbox_archive IN ACCESS EXCLUSIVE MODE",
    f"""
    INSERT INTO outbox_chunk (shard, events, types, body, created_at, sent_at)
    SELECT shard, count(*), string_agg(routing_key, ' ' ORDER BY place),
           '[' || string_agg({_EVENT_TEXT}, E',\n' ORDER BY place) || ']', min(created_at), max(archived_at)
    FROM (SELECT *, row_number() OVER (PARTITION BY shard ORDER BY archived_at, id) AS place FROM outbox_archive) a
    GROUP BY shard, place / 100 ORDER BY max(archived_at)
    """,
    f"""
    INSERT INTO outbox_chunk (shard, events, types, body, created_at)
    SELECT shard, 1, routing_key, '[' || {_EVENT_TEXT} || ']', created_at FROM outbox ORDER BY id
    """,
    "DROP TABLE outbox, outbox_archive",
    """
    CREATE VIEW outbox_event AS
    SELECT c.shard, c.id AS chunk_id, e.place, CAST(a.headers->>'id' AS uuid) AS event_id,
           a.headers->>'type' AS routing_key, a.headers,
           CAST(substr(e.event, a.data_at + 10, length(e.event) - a.data_at - 10) AS json) AS payload,
           a.headers->>'partitionkey' AS partition_key, c.created_at, c.sent_at
    FROM outbox_chunk c
    CROSS JOIN LATERAL string_to_table(substr(c.body, 2, length(c.body) - 2), E',\n') WITH ORDINALITY e(event, place)
    CROSS JOIN LATERAL (SELECT strpos(e.event, ', "data": ')) d(data_at)
    CROSS JOIN LATERAL (SELECT CAST(left(e.event, d.data_at - 1) || '}' AS json), d.data_at) a(headers, data_at)
    """,
)


JOBS = (
    """
    CREATE TABLE job (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
        path text NOT NULL,
        query text NOT NULL,
        credential text NOT NULL,
        user_id bigint NOT NULL,
        caller jsonb NOT NULL,
        client_ip text,
        request_id text,
        traceparent text,
        progress smallint NOT NULL DEFAULT 0,
        attempts integer NOT NULL DEFAULT 0,
        runner uuid,
        lease_until timestamptz,
        headers jsonb,
        problem jsonb,
        created_at timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz,
        finished_at timestamptz,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX job_open ON job (id) WHERE state IN ('queued', 'running')",
    "CREATE INDEX job_by_credential ON job (credential, id)",
    "CREATE INDEX job_by_user ON job (user_id)",
    "CREATE INDEX job_by_expiry ON job (expires_at)",
    """
    CREATE TABLE job_result (
        job_id bigint NOT NULL REFERENCES job ON DELETE CASCADE,
        runner uuid NOT NULL,
        number integer NOT NULL,
        content bytea NOT NULL,
        PRIMARY KEY (job_id, runner, number)
    )
    """,
)


TRANSACTIONS = (
    # The default is STABLE: it rewrites no table, and earlier releases need not know the column.
    "ALTER TABLE outbox_chunk ADD COLUMN transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id()",
    "ALTER TABLE inbox ADD COLUMN transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id()",
    "CREATE INDEX outbox_chunk_by_transaction ON outbox_chunk (transaction_id)",
    "CREATE INDEX inbox_by_transaction ON inbox (transaction_id)",
    """
    CREATE FUNCTION record_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.transaction_id := pg_current_xact_id();
        RETURN NEW;
    END $$
    """,
    # A message that was deferred has its effects when it is done.
    """
    CREATE TRIGGER inbox_record_transaction BEFORE UPDATE OF status ON inbox FOR EACH ROW
    WHEN (NEW.status = 'done') EXECUTE FUNCTION record_transaction()
    """,
)


def create_chassis_tables() -> None:
    """Outbox, archive, inbox and idempotency keys, as of version 1."""
    _execute_each(VERSION_1)


def add_dead_outbox_and_stored_headers() -> None:
    """Version 2: events that the broker refuses, and the headers of stored responses."""
    _execute_each(VERSION_2)


def add_outbox_chunks() -> None:
    """Version 3: the outbox in chunks that are marked as sent instead of moved to an archive (docs/adr/0021)."""
    for statement in VERSION_3:
        op.execute(statement)


def add_partitions_by_time() -> None:
    """Version 4: the inbox in partitions, and idempotency keys in one table for each period (docs/adr/0044)."""
    for statement in partitions.VERSION_4:
        op.execute(statement)


def create_job_tables() -> None:
    """The tables of a service that runs jobs (docs/adr/0040)."""
    for statement in (*JOBS, *comment_statements(JOB_COMMENTS)):
        op.execute(statement)


def record_transactions() -> None:
    """The transactions that changed the data of a service that caches responses (docs/adr/0043)."""
    for statement in (*TRANSACTIONS, *comment_statements(TRANSACTION_COMMENTS)):
        op.execute(statement)


def _execute_each(script: str) -> None:
    for statement in script.split(";"):
        if statement.strip():
            op.execute(statement)


ROUTINES = (
    *partitions.ROUTINES,
    "CREATE INDEX IF NOT EXISTS inbox_dead ON inbox (consumer) WHERE status = 'dead'",
    # Restoring a dump, REINDEX and ANALYZE evaluate column defaults and index expressions without a search path. The
    # keys of texts use built-in functions only, and a setting would keep PostgreSQL from inlining them in searches.
    """
    DO $$
    DECLARE
        used regprocedure;
    BEGIN
        FOR used IN
            SELECT DISTINCT p.oid FROM pg_depend d JOIN pg_proc p ON p.oid = d.refobjid
            WHERE d.refclassid = 'pg_proc'::regclass AND p.pronamespace = current_schema()::regnamespace
                AND p.proname NOT IN ('text_key', 'case_key')
                AND d.classid IN ('pg_attrdef'::regclass, 'pg_class'::regclass, 'pg_constraint'::regclass)
                AND NOT EXISTS (SELECT FROM unnest(p.proconfig) setting WHERE starts_with(setting, 'search_path='))
        LOOP
            EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', used, current_schema());
        END LOOP;
    END $$
    """,
    # One statement, because every start of a replica runs it.
    "DO $$ BEGIN " + "; ".join(comment_statements(CHASSIS_COMMENTS)) + "; END $$",
)
