"""Partitions by time of the chassis' tables (docs/adr/0044): the outbox by day, the inbox by week of the event ids, and
idempotency keys in one table for each period.

The functions in ROUTINES are re-created after every migration. SECURITY DEFINER: they run with the owner's privileges,
so that the serving role needs none to create or drop tables. They wait for a lock only briefly, because statements that
arrive meanwhile wait behind them; `maintain` repeats them.
"""

from stockbuddy.chassis.postgres.periods import IS_PERIOD_OVER, MOVED_ROWS, START_PERIOD

ARCHIVE_DAYS = 7
INBOX_DAYS = 30
IDEMPOTENCY_DAYS = 8
KEY_PERIOD_DAYS = 4
"""A request with an idempotency key looks into at most 2 + IDEMPOTENCY_DAYS / KEY_PERIOD_DAYS tables."""
LOCK_TIMEOUT_MS = 250

FORMER_STEP = "keep_archive"
"""Maintenance of the previous release calls it."""
FIND_STEPS = f"""
    SELECT proname FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'keep\\_%' AND proname <> '{FORMER_STEP}'
    ORDER BY proname
"""
"""Functions that create partitions ahead and drop expired ones, or start a new period; each runs in a transaction of
its own. A migration of a service may add one: `keep_…()`, SECURITY DEFINER."""

_UUID_AT = """
    CREATE OR REPLACE FUNCTION uuid_at(day date) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
        SELECT CAST(rpad(lpad(to_hex((day - DATE '1970-01-01') * CAST(86400000 AS bigint)), 12, '0'), 32, '0') AS uuid)
    $$
"""
"""The smallest UUIDv7 of a day: the first 48 bits are milliseconds (RFC 9562)."""

# A DELETE by ctid, as maintenance of the previous release sends it, would delete the rows at that place of every
# partition. The functions above do its work.
_KEEPS_ROWS = "WHEN (current_query() LIKE '%ctid IN (SELECT ctid FROM %') EXECUTE FUNCTION skip_row()"

VERSION_4 = (
    _UUID_AT,
    "CREATE FUNCTION skip_row() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$",
    # The keys of earlier periods; those of this one have the primary key.
    """
    CREATE FUNCTION skip_former_idempotency_key() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM idempotency_key
            WHERE caller = NEW.caller AND key = NEW.key AND tableoid <> TG_RELID)
        THEN
            RETURN NULL;
        END IF;
        RETURN NEW;
    END $$
    """,
    # The former table becomes the first partition; ids beyond it are no UUIDv7.
    """
    DO $$
    DECLARE
        bound date := date_trunc('week', now() AT TIME ZONE 'UTC')::date + 14;
        first text := 'inbox_until_' || to_char(bound, 'YYYYMMDD');
    BEGIN
        LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('ALTER TABLE inbox RENAME TO %I', first);
        EXECUTE format('ALTER INDEX inbox_pkey RENAME TO %I', first || '_pkey');
        EXECUTE format('ALTER INDEX inbox_due RENAME TO %I', first || '_due');
        EXECUTE format('ALTER INDEX inbox_parked RENAME TO %I', first || '_parked');
        EXECUTE format('ALTER INDEX inbox_done_by_age RENAME TO %I', first || '_done_by_age');
        EXECUTE format('ALTER INDEX IF EXISTS inbox_dead RENAME TO %I', first || '_dead');
        EXECUTE format('CREATE TABLE inbox (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) '
            'PARTITION BY RANGE (event_id)', first);
        ALTER TABLE inbox ADD PRIMARY KEY (consumer, event_id);
        CREATE INDEX inbox_due ON inbox (consumer, next_attempt_at) WHERE status IN ('retry', 'parked');
        CREATE INDEX inbox_parked ON inbox (consumer, partition_key) WHERE status = 'parked';
        CREATE INDEX inbox_done_by_age ON inbox (created_at) WHERE status = 'done';
        CREATE INDEX inbox_dead ON inbox (consumer) WHERE status = 'dead';
        CREATE TABLE inbox_default PARTITION OF inbox DEFAULT;
        EXECUTE format('WITH moved AS (DELETE FROM %I WHERE event_id >= %L RETURNING *) '
            'INSERT INTO inbox_default SELECT * FROM moved', first, uuid_at(bound));
        EXECUTE format('ALTER TABLE inbox ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)',
            first, uuid_at(bound));
    END $$
    """,
    f"CREATE TRIGGER inbox_stays BEFORE DELETE ON inbox FOR EACH ROW {_KEEPS_ROWS}",
    f"CREATE TRIGGER idempotency_key_stays BEFORE DELETE ON idempotency_key FOR EACH ROW {_KEEPS_ROWS}",
    """CREATE TRIGGER idempotency_key_is_new BEFORE INSERT ON idempotency_key
       FOR EACH ROW EXECUTE FUNCTION skip_former_idempotency_key()""",
)

# LIKE and ATTACH, because PARTITION OF would lock the whole table. The default partition is scanned for rows of the new
# one; it is empty unless maintenance did not run for days.
_ADD_PARTITION = """
    CREATE OR REPLACE FUNCTION add_partition(parent text, partition text, lower text, upper text, options text)
    RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE) %s',
            partition, parent, options);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            parent, partition, lower, upper);
    END $$
"""

# `needed`: conditions on rows that keep their partition. They are evaluated again under the locks, which are taken in
# the order of every query: the table first.
_DROP_PARTITION = """
    CREATE OR REPLACE FUNCTION drop_partition(parent text, partition text, needed text[])
    RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        question text := 'SELECT ' || (
            SELECT string_agg(format('EXISTS (SELECT FROM %I WHERE %s)', partition, condition), ' OR ')
            FROM unnest(needed) condition);
        is_needed boolean;
    BEGIN
        EXECUTE question INTO is_needed;
        IF is_needed THEN
            RETURN;
        END IF;
        EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', parent);
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', partition);
        EXECUTE question INTO is_needed;
        IF NOT is_needed THEN
            EXECUTE format('DROP TABLE %I', partition);
        END IF;
    END $$
"""

STEP_HEAD = f"RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '{LOCK_TIMEOUT_MS}ms' AS $$"
_DATED = "c.relname ~ '_[0-9]{8}$'"

_KEEP_OUTBOX = f"""
    CREATE OR REPLACE FUNCTION keep_outbox() {STEP_HEAD}
    DECLARE
        today date := (now() AT TIME ZONE 'UTC')::date;
        day date;
        partition text;
    BEGIN
        -- For tomorrow and the day after; today's rows may be in the default partition already.
        FOREACH day IN ARRAY ARRAY[today + 1, today + 2] LOOP
            partition := 'outbox_chunk_' || to_char(day, 'YYYYMMDD');
            IF to_regclass(partition) IS NULL THEN
                PERFORM add_partition('outbox_chunk', partition, day || ' 00:00:00+00', day + 1 || ' 00:00:00+00',
                    'WITH (autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0.01, '
                    'autovacuum_vacuum_cost_delay = 0)');
            END IF;
        END LOOP;
        FOR partition IN
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = to_regclass('outbox_chunk') AND {_DATED}
                AND c.relname < 'outbox_chunk_' || to_char(today - {ARCHIVE_DAYS}, 'YYYYMMDD')
        LOOP
            PERFORM drop_partition('outbox_chunk', partition, ARRAY['sent_at IS NULL']);
        END LOOP;
        DELETE FROM outbox_chunk_default WHERE sent_at < now() - interval '{ARCHIVE_DAYS} days';
    END $$
"""

# A partition is named by the day before which its events happened. It is kept while a message in it waits, or was
# received in the last INBOX_DAYS, such as one that was replayed.
_KEEP_INBOX = f"""
    CREATE OR REPLACE FUNCTION keep_inbox() {STEP_HEAD}
    DECLARE
        today date := (now() AT TIME ZONE 'UTC')::date;
        monday date := date_trunc('week', today)::date;
        start date;
        partition text;
        exists_or_has_rows boolean;
    BEGIN
        FOREACH start IN ARRAY ARRAY[monday, monday + 7, monday + 14] LOOP
            partition := 'inbox_until_' || to_char(start + 7, 'YYYYMMDD');
            exists_or_has_rows := EXISTS (
                SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = to_regclass('inbox') AND {_DATED} AND c.relname >= partition
            ) OR EXISTS (
                SELECT FROM inbox_default WHERE event_id >= uuid_at(start) AND event_id < uuid_at(start + 7));
            IF NOT exists_or_has_rows THEN
                PERFORM add_partition('inbox', partition, uuid_at(start)::text, uuid_at(start + 7)::text, '');
            END IF;
        END LOOP;
        FOR partition IN
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = to_regclass('inbox') AND {_DATED}
                AND c.relname <= 'inbox_until_' || to_char(today - {INBOX_DAYS}, 'YYYYMMDD')
        LOOP
            PERFORM drop_partition('inbox', partition, ARRAY['status IN (''retry'', ''parked'')', 'status = ''dead''',
                'status = ''done'' AND created_at >= now() - interval ''{INBOX_DAYS} days''']);
        END LOOP;
        DELETE FROM inbox_default WHERE status = 'done' AND created_at < now() - interval '{INBOX_DAYS} days';
    END $$
"""

# Transactions that have read or written keys hold a lock, so none of them sees the keys of two periods.
_KEEP_KEYS = f"""
    CREATE OR REPLACE FUNCTION keep_idempotency_keys() {STEP_HEAD}
    DECLARE
        older text;
        newest timestamptz;
    BEGIN
        IF (SELECT min(created_at) FROM ONLY idempotency_key) < now() - interval '{KEY_PERIOD_DAYS} days' THEN
            PERFORM start_period('idempotency_key',
                'WHERE created_at > now() - interval ''1 hour'' ORDER BY created_at DESC LIMIT {MOVED_ROWS}');
        END IF;
        FOR older IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = to_regclass('idempotency_key') LOOP
            EXECUTE format('SELECT max(created_at) FROM %s', older) INTO newest;
            IF newest IS NULL OR newest < now() - interval '{IDEMPOTENCY_DAYS} days' THEN
                EXECUTE format('DROP TABLE %s', older);
            END IF;
        END LOOP;
    END $$
"""

_KEEP_ALL = f"""
    CREATE OR REPLACE FUNCTION {FORMER_STEP}() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        PERFORM keep_outbox();
        PERFORM keep_inbox();
        PERFORM keep_idempotency_keys();
    END $$
"""

_EACH_STEP = """
    DO $$
    DECLARE
        step regprocedure;
    BEGIN
        FOR step IN
            SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'keep\\_%'
        LOOP
            {statements}
        END LOOP;
    END $$
"""

ROUTINES = (
    START_PERIOD,
    IS_PERIOD_OVER,
    _ADD_PARTITION,
    _DROP_PARTITION,
    _KEEP_OUTBOX,
    _KEEP_INBOX,
    _KEEP_KEYS,
    _KEEP_ALL,
    # A SECURITY DEFINER function must not resolve tables through the caller's search path.
    _EACH_STEP.format(
        statements="""
            EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', step, current_schema());
            EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', step);
        """
    ),
    """
    REVOKE ALL ON FUNCTION start_period(text, text), is_period_over(text, text, text),
        add_partition(text, text, text, text, text), drop_partition(text, text, text[]) FROM PUBLIC
    """,
)

GRANT_STEPS = _EACH_STEP.format(statements="EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO {role}', step);")
"""`{role}`: the serving role, quoted."""
