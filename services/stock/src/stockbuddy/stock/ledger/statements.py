"""The ledger's SQL. Everything is set-based: one statement for a group of postings, whatever its size."""

from collections.abc import Sequence
from itertools import count

CREATE_LEVELS = """
    INSERT INTO level (product_id, warehouse_id, lot)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k(product_id, warehouse_id, lot)
    ORDER BY product_id, warehouse_id, lot
    ON CONFLICT DO NOTHING
"""

# FOR UPDATE stands above the sort, so the rows are locked in this order.
LOCK_LEVELS = """
    SELECT l.product_id, l.warehouse_id, l.lot, p.sku,
           coalesce(p.low_stock_threshold, s.default_low_stock_threshold) AS threshold, p.cost_price,
           l.on_hand, l.reserved, l.version, l.average_cost, l.is_low, l.is_depleted,
           l.taken_count, l.taken_mean, l.taken_spread, l.added_count, l.added_mean, l.added_spread
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k(product_id, warehouse_id, lot)
    JOIN level l USING (product_id, warehouse_id, lot)
    JOIN product p ON p.id = l.product_id
    CROSS JOIN setting s
    ORDER BY l.product_id, l.warehouse_id, l.lot
    FOR UPDATE OF l
"""

OPEN_BOOKS = """
    SELECT clock_timestamp() AS now,
           CAST(CAST(pg_current_xact_id() AS text) AS bigint) AS transaction_id,
           pg_backend_pid() AS backend_id,
           ARRAY(SELECT nextval('movement_id_seq') FROM generate_series(1, $1::integer)) AS movement_ids,
           (SELECT coalesce(CAST(json_object_agg(name, ids) AS text), '{}') FROM (
                SELECT d.name, array_agg(nextval(CAST(d.name || '_id_seq' AS regclass))) AS ids
                FROM unnest($2::text[], $3::integer[]) AS d(name, wanted), generate_series(1, d.wanted)
                GROUP BY d.name) drawn) AS ids,
           (SELECT coalesce(CAST(json_agg(json_build_array(
                w.id, NOT w.deleted, coalesce(w.negative_stock, s.negative_stock) = 'allow')) AS text), '[]')
            FROM warehouse w CROSS JOIN setting s WHERE w.id = ANY($4::bigint[])) AS warehouses,
           (SELECT coalesce(CAST(json_agg(json_build_array(
                i.caller, i.key, encode(i.fingerprint, 'hex'), i.status, i.body)) AS text), '[]')
            FROM unnest($5::text[], $6::text[]) AS k(caller, key) JOIN idempotency_key i USING (caller, key)) AS answers
"""

STORED_ANSWER = "SELECT fingerprint, status, body FROM idempotency_key WHERE (caller, key) = ($1, $2)"

REVERSED = "SELECT reverses_id FROM movement WHERE reverses_id = ANY($1::bigint[])"

LEVEL_COLUMNS = {
    "product_id": "bigint",
    "warehouse_id": "bigint",
    "lot": "bigint",
    "on_hand": "numeric",
    "reserved": "numeric",
    "version": "bigint",
    "average_cost": "numeric",
    "overdrawn": "boolean",
    "is_low": "boolean",
    "is_depleted": "boolean",
    "taken_count": "integer",
    "taken_mean": "float8",
    "taken_spread": "float8",
    "added_count": "integer",
    "added_mean": "float8",
    "added_spread": "float8",
}
MOVEMENT_COLUMNS = {
    "id": "bigint",
    "product_id": "bigint",
    "warehouse_id": "bigint",
    "lot": "bigint",
    "version": "bigint",
    "movement_type": "text",
    "quantity": "numeric",
    "before": "numeric",
    "balance": "numeric",
    "unit_cost": "numeric",
    "average_cost": "numeric",
    "went_negative": "boolean",
    "reference_number": "text",
    "notes": "text",
    "document": "text",
    "reverses_id": "bigint",
    "performed_by": "bigint",
    "occurred_at": "timestamptz",
}
ANSWER_COLUMNS = {"caller": "text", "key": "text", "fingerprint": "bytea", "status": "smallint", "body": "text"}
EVENT_COLUMNS = {
    "shard": "smallint",
    "event_id": "uuid",
    "routing_key": "text",
    "headers": "json",
    "payload": "json",
    "partition_key": "text",
}


def _write() -> str:
    """One statement for everything but the documents; its arguments are the columns of the four tables, in order,
    and the time. Numerics come as array literals: encoding them one by one takes the driver eight times as long."""
    tables = (LEVEL_COLUMNS, MOVEMENT_COLUMNS, ANSWER_COLUMNS, EVENT_COLUMNS)
    numbers = count(1)
    levels, movements, answers, events = (
        ", ".join(_array(next(numbers), kind) for kind in columns.values()) for columns in tables
    )
    now = f"${next(numbers)}"
    changes = ", ".join(f"{name} = n.{name}" for name in list(LEVEL_COLUMNS)[3:])
    return f"""
        WITH changed AS (
            UPDATE level l SET {changes}, updated_at = {now}
            FROM unnest({levels}) AS n({", ".join(LEVEL_COLUMNS)})
            WHERE (l.product_id, l.warehouse_id, l.lot) = (n.product_id, n.warehouse_id, n.lot)
            RETURNING 1
        ), moved AS (
            INSERT INTO movement ({", ".join(MOVEMENT_COLUMNS)}, recorded_at)
            SELECT m.*, {now} FROM unnest({movements}) AS m
        ), remembered AS (
            INSERT INTO idempotency_key ({", ".join(ANSWER_COLUMNS)}) SELECT * FROM unnest({answers})
        ), said AS (
            INSERT INTO outbox ({", ".join(EVENT_COLUMNS)}) SELECT * FROM unnest({events})
        )
        SELECT count(*) FROM changed
    """


def _array(number: int, kind: str) -> str:
    return f"CAST(${number}::text AS numeric[])" if kind == "numeric" else f"${number}::{kind}[]"


WRITE = _write()

TRANSACTION_STATUS = "SELECT pg_xact_status(CAST(CAST($1::bigint AS text) AS xid8))"
END_TRANSACTION = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = $2::integer AND backend_xid = CAST(CAST(CAST($1::bigint AS text) AS xid8) AS xid)
"""


# Names of tables and columns come from our own code, never from a request.


def lock_documents(table: str) -> str:
    return f"SELECT id, version FROM {table} WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE"


def insert_documents(table: str, columns: Sequence[str]) -> str:
    """Rows given as a JSON array of objects."""
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb)"


def update_documents(table: str, columns: Sequence[str]) -> str:
    """Rows given as a JSON array of objects, each with its `id`."""
    changes = ", ".join(f"{column} = n.{column}" for column in columns if column != "id")
    return (
        f"UPDATE {table} t SET {changes} FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb) n "
        "WHERE t.id = n.id"
    )
