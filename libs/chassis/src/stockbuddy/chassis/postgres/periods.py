"""A table for each period (docs/adr/0044): for tables whose unique keys contain no time.

When a period ends, its table is renamed, and a new one gets its name. The former ones inherit from it: inserts go to
the new table and its unique keys, everything else to all of them.
"""

MOVED_ROWS = 1000
"""Newest rows that are moved to the table of a new period: statements that are planned for an empty one would scan it
while it grows."""

MIN_ROWS = 100_000
"""A smaller table continues: it is not worth a second one in every query."""
LONG_PERIOD_MONTHS = 12
ROWS_PER_MONTH = 50_000_000
"""A table with that many rows ends after a month, any other one after LONG_PERIOD_MONTHS."""

START_PERIOD = """
    CREATE OR REPLACE FUNCTION start_period(current text, moved text)
    RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        former text := format('%s_until_%s', current, to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD_HH24MISS'));
        old oid := to_regclass(current);
        keys text[];
        others text[];
        part text;
    BEGIN
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', current);
        IF EXISTS (SELECT FROM pg_constraint WHERE confrelid = old) THEN
            RAISE EXCEPTION 'a foreign key to % would see one period only', current;
        END IF;
        -- What LIKE does not copy, with the names that it has now.
        keys := ARRAY(
            SELECT format('ALTER TABLE %I ADD CONSTRAINT %I %s', current, c.conname, pg_get_constraintdef(c.oid))
            FROM pg_constraint c WHERE c.conrelid = old AND c.contype IN ('p', 'u', 'f')
            UNION ALL
            SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i
            WHERE i.indrelid = old AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
        );
        others := ARRAY(
            SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t WHERE t.tgrelid = old AND NOT t.tgisinternal
            UNION ALL
            SELECT format('COMMENT ON TABLE %I IS %L', current, obj_description(old, 'pg_class'))
            UNION ALL
            SELECT format('ALTER TABLE %I SET (%s)', current, array_to_string(c.reloptions, ', '))
            FROM pg_class c WHERE c.oid = old AND c.reloptions IS NOT NULL
            UNION ALL
            SELECT DISTINCT format('GRANT %s ON %I TO %s', a.privilege_type, current, a.grantee::regrole)
            FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = old AND a.grantee NOT IN (0, c.relowner)
            UNION ALL
            SELECT format('ALTER SEQUENCE %s OWNED BY %I.%I', d.objid::regclass, current, a.attname)
            FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.refobjid = old AND d.classid = 'pg_class'::regclass AND d.deptype = 'a'
                AND d.objid IN (SELECT oid FROM pg_class WHERE relkind = 'S')
        );
        FOR part IN
            SELECT format('ALTER INDEX %s RENAME TO %I', i.indexrelid::regclass,
                format('%s_%s', former, row_number() OVER (ORDER BY i.indexrelid)))
            FROM pg_index i WHERE i.indrelid = old
        LOOP
            EXECUTE part;
        END LOOP;
        EXECUTE format('ALTER TABLE %I RENAME TO %I', current, former);
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE '
            'INCLUDING COMMENTS)', current, former);
        FOREACH part IN ARRAY keys LOOP
            EXECUTE part;
        END LOOP;
        FOR part IN SELECT i.inhrelid::regclass::text FROM pg_inherits i WHERE i.inhparent = old LOOP
            EXECUTE format('ALTER TABLE %s NO INHERIT %I, INHERIT %I', part, former, current);
        END LOOP;
        EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', former);
        EXECUTE format('WITH moved AS (DELETE FROM %I WHERE ctid IN (SELECT ctid FROM %I %s) RETURNING *) '
            'INSERT INTO %I SELECT * FROM moved', former, former, moved, current);
        EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', former);
        FOREACH part IN ARRAY others LOOP
            EXECUTE part;
        END LOOP;
        EXECUTE format('ALTER TABLE %I INHERIT %I', former, current);
    END $$
"""
"""`moved`: the end of a SELECT of the newest rows, which are moved. The caller limits the wait for the lock."""

IS_PERIOD_OVER = f"""
    CREATE OR REPLACE FUNCTION is_period_over(current text, key text, recorded_at text)
    RETURNS boolean LANGUAGE plpgsql AS $$
    DECLARE
        first bigint;
        last bigint;
        oldest timestamptz;
    BEGIN
        EXECUTE format('SELECT min(%I), max(%I) FROM ONLY %I', key, key, current) INTO first, last;
        EXECUTE format('SELECT %I FROM ONLY %I WHERE %I = $1', recorded_at, current, key) INTO oldest USING first;
        RETURN last - first >= {MIN_ROWS} AND oldest < now() - make_interval(months => CASE
            WHEN last - first < {ROWS_PER_MONTH} THEN {LONG_PERIOD_MONTHS} ELSE 1 END);
    END $$
"""
"""For a table whose rows are kept for ever. `key`: the column that increases with each row."""
