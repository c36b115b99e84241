"""The event log in one table for each period (docs/adr/0044); all are kept."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements
from stockbuddy.chassis.postgres.partitions import STEP_HEAD

revision = "0020"
down_revision = "0019"

STATEMENTS = (
    # Appends are serialised by the head, so what another transaction has added is visible here. An event with a UUIDv7
    # from after the argument is in no earlier period.
    """
    CREATE FUNCTION refuse_former_event() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        suspects uuid[] := ARRAY(SELECT event_id FROM added
            WHERE event_id < CAST(TG_ARGV[0] AS uuid) OR substr(CAST(event_id AS text), 15, 1) <> '7');
    BEGIN
        IF suspects <> '{}' AND EXISTS (
            SELECT FROM event_log WHERE event_id = ANY (suspects) AND tableoid <> TG_RELID)
        THEN
            RAISE EXCEPTION 'the event is in the log already' USING ERRCODE = 'unique_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    # The epoch knows the log by its OID.
    """
    CREATE FUNCTION start_log_period(moved text) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        former oid := to_regclass('event_log');
    BEGIN
        PERFORM start_period('event_log', moved);
        DROP TRIGGER IF EXISTS event_log_is_new ON event_log;
        EXECUTE format('CREATE TRIGGER event_log_is_new AFTER INSERT ON event_log '
            'REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_former_event(%L)',
            uuid_at((now() AT TIME ZONE 'UTC')::date + 2));
        UPDATE event_log_epoch SET storage_id = regexp_replace(storage_id, '[0-9]+$',
            CAST(CAST(to_regclass('event_log') AS oid) AS text))
        WHERE storage_id LIKE '%.' || former;
    END $$
    """,
    "REVOKE ALL ON FUNCTION start_log_period(text) FROM PUBLIC",
    f"""
    CREATE FUNCTION keep_event_log() {STEP_HEAD}
    BEGIN
        IF is_period_over('event_log', 'position', 'at') THEN
            PERFORM start_log_period('ORDER BY position DESC LIMIT 1000');
        END IF;
    END $$
    """,
)

COMMENTS = {
    "event_log": {
        "": "Every event of every service, append-only and chained by hashes; the audit trail is a filter on it. "
        "Those of former periods are in tables that inherit from this one."
    }
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
