"""Redactions: entries of earlier releases contain personal values themselves, which an erasure removes from them."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0015"
down_revision = "0014"

POSITIONS_BY_EARLIER_REPLICAS = 1_000_000
"""More than replicas of the earlier release append while an upgrade is running."""

STATEMENTS = (
    """
    CREATE TABLE redaction (
        position bigint CONSTRAINT redaction_pkey PRIMARY KEY,
        event_id uuid NOT NULL,
        previous_hash bytea NOT NULL,
        digest bytea NOT NULL
    )
    """,
    """
    CREATE TABLE redaction_request (
        person text COLLATE "C" CONSTRAINT redaction_request_pkey PRIMARY KEY,
        next_position bigint NOT NULL,
        last_position bigint NOT NULL
    )
    """,
    """
    CREATE TABLE redaction_bound (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        position bigint NOT NULL
    )
    """,
    f"""
    INSERT INTO redaction_bound (position)
    SELECT CASE WHEN position = 0 THEN 0 ELSE position + {POSITIONS_BY_EARLIER_REPLICAS} END FROM event_log_head
    """,
    """
    CREATE TRIGGER redaction_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON redaction
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history()
    """,
    # The log stays append-only but for `redact_entry`, which the verification compares with the log's own record.
    """
    CREATE OR REPLACE FUNCTION refuse_to_rewrite_history() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'event_log'
                AND current_setting('stockbuddy.redacted_position', true) <> '' THEN
            RETURN NULL;
        END IF;
        RAISE EXCEPTION 'the event log is append-only' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    # SECURITY DEFINER: the serving role may not update the log.
    """
    CREATE FUNCTION redact_entry(redacted bigint, new_subject text, new_actor text, new_attributes json, new_data json)
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        PERFORM set_config('stockbuddy.redacted_position', redacted::text, true);
        UPDATE event_log SET subject = new_subject, actor = new_actor, attributes = new_attributes, data = new_data
        WHERE position = redacted;
        PERFORM set_config('stockbuddy.redacted_position', '', true);
    END $$
    """,
    """
    DO $$ BEGIN
        EXECUTE format('ALTER FUNCTION redact_entry(bigint, text, text, json, json) SET search_path = %I, pg_temp',
            current_schema());
    END $$
    """,
)

COMMENTS = {
    "redaction": {
        "": "Entries of the event log from which an erasure has removed personal values, append-only.",
        "position": "The entry.",
        "event_id": "Event notifications.entries.redacted, with which the log records the redactions of a batch.",
        "previous_hash": "Hash of the entry before it, from which the hash of the original content was computed.",
        "digest": "SHA-256 of the entry's canonical form after the redaction.",
    },
    "redaction_request": {
        "": "Persons whose values are being removed from entries of earlier releases.",
        "person": "The erased person, such as customer/5.",
        "next_position": "From which entry on the log is still to be searched.",
        "last_position": "Up to which entry.",
    },
    "redaction_bound": {
        "": "Up to which position entries may contain personal values themselves; one row.",
        "singleton": "Always true.",
        "position": "The last such position; 0: there are none.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
