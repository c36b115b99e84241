"""The event log: one append-only table whose rows are chained by hash, and its head."""

from alembic import op

from stockbuddy.chassis.postgres.schema import create_chassis_tables

revision = "0001"
down_revision = None

# `json` keeps the bytes that were hashed. Collation C: patterns and the loose index scan over types need
# no language rules, and the index is smaller and faster.
LOG = """
CREATE TABLE event_log (
    position bigint CONSTRAINT event_log_pkey PRIMARY KEY,
    event_id uuid NOT NULL CONSTRAINT event_log_event_id_key UNIQUE,
    type text COLLATE "C" NOT NULL,
    subject text COLLATE "C",
    at timestamptz NOT NULL,
    actor_id bigint,
    actor text,
    client_ip text,
    request_id text COLLATE "C",
    audited boolean NOT NULL,
    attributes json NOT NULL,
    data json NOT NULL,
    hash bytea NOT NULL CONSTRAINT event_log_hash_check CHECK (length(hash) = 32)
)
"""

WORDS = """
CREATE FUNCTION event_log_words(type text, subject text, actor text, client_ip text, data json) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsvector('simple', translate(type || ' ' || coalesce(subject, '') || ' ' || coalesce(actor, ''), './', '  '))
    || to_tsvector('simple', coalesce(client_ip, ''))
    || json_to_tsvector('simple', data, '["string", "numeric"]')
"""

INDEXES = (
    "CREATE INDEX event_log_by_type ON event_log (type, position)",
    "CREATE INDEX event_log_by_subject ON event_log (subject, type, position)",
    "CREATE INDEX event_log_by_actor ON event_log (actor_id, position) WHERE audited",
    "CREATE INDEX event_log_by_request ON event_log (request_id) WHERE audited",
    "CREATE INDEX event_log_by_time ON event_log (at) WHERE audited",
    """CREATE INDEX event_log_by_word ON event_log
       USING gin (event_log_words(type, subject, actor, client_ip, data)) WHERE audited""",
)

# One row. An append locks it until the commit, so positions become visible in order.
HEAD = """
CREATE TABLE event_log_head (
    single boolean DEFAULT true CONSTRAINT event_log_head_pkey PRIMARY KEY
        CONSTRAINT event_log_head_single_check CHECK (single),
    position bigint NOT NULL,
    audited bigint NOT NULL,
    hash bytea NOT NULL CONSTRAINT event_log_head_hash_check CHECK (length(hash) = 32)
) WITH (fillfactor = 10)
"""

REFUSE = """
CREATE FUNCTION refuse_to_rewrite_history() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'the event log is append-only' USING ERRCODE = 'integrity_constraint_violation'; END$$
"""

GUARDS = (
    """CREATE TRIGGER event_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_log
       FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history()""",
    """CREATE TRIGGER event_log_head_stays BEFORE DELETE OR TRUNCATE ON event_log_head
       FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history()""",
    """CREATE TRIGGER event_log_head_grows BEFORE UPDATE ON event_log_head
       FOR EACH ROW WHEN (NEW.position < OLD.position) EXECUTE FUNCTION refuse_to_rewrite_history()""",
)


def upgrade() -> None:
    create_chassis_tables()
    op.execute(LOG)
    op.execute(WORDS)
    for index in INDEXES:
        op.execute(index)
    op.execute(HEAD)
    op.execute("INSERT INTO event_log_head (position, audited, hash) VALUES (0, 0, decode(repeat('00', 32), 'hex'))")
    op.execute(REFUSE)
    for guard in GUARDS:
        op.execute(guard)
