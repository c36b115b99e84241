"""Finds out whether a service's data has changed since it was last read, with one statement (ADR 43).

A transaction that changes a service's data commits its events in the outbox, or the events of other services that it
applies in the inbox. Both tables have the id of that transaction, so the data is unchanged since a snapshot if neither
has a row that the snapshot did not see.
"""

from typing import NamedTuple

import asyncpg

from stockbuddy.chassis.runtime.failures import DATABASE, DependencyUnavailable


class DataVersion(NamedTuple):
    """`source`: cluster, database, table and timeline, without which a transaction id means nothing. `snapshot`: of
    PostgreSQL's type pg_snapshot; what was read after it contains every transaction that it sees."""

    source: str
    snapshot: str


class Comparison(NamedTuple):
    """`now`: the current version. `is_current`: nothing has changed since the version that it was compared with."""

    now: DataVersion
    is_current: bool


# The inner conditions are those of `NOT pg_visible_in_snapshot`, in a form that finds rows by the index. A restored row
# may have the id of a later transaction, hence the bound. A standby does not list the transactions in progress: what
# follows the first of them counts as not seen.
_CHANGED = " OR ".join(
    f"""
    EXISTS (SELECT FROM {table} WHERE transaction_id >= pg_snapshot_xmax(known)
            AND transaction_id < pg_snapshot_xmax(now))
    OR EXISTS (SELECT FROM {table} WHERE transaction_id = ANY(ARRAY(SELECT pg_snapshot_xip(known))))
    """
    for table in ("outbox_chunk", "inbox")
)
_COMPARE = f"""
    SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
                     (SELECT oid FROM pg_database WHERE datname = current_database()), 'outbox_chunk'::regclass::oid,
                     CASE WHEN standby THEN 'standby'
                          ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END),
           CASE WHEN standby THEN format('%1$s:%1$s:', pg_snapshot_xmin(now)) ELSE now::text END,
           {_CHANGED}
    FROM (SELECT pg_current_snapshot() AS now, $1::text::pg_snapshot AS known, pg_is_in_recovery() AS standby) state
"""


_REFUSED = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.FeatureNotSupportedError,
    asyncpg.ObjectNotInPrerequisiteStateError,
)


async def compare_version(connection: asyncpg.Connection, known: DataVersion | None) -> Comparison:
    """Read the current version, and whether `known` still is. What is read after this call, through the same
    connection, is at least as recent as the version. Raises DependencyUnavailable if the server does not tell, as
    those of some providers."""
    try:
        source, snapshot, has_changed = await connection.fetchrow(_COMPARE, known.snapshot if known else None)
    except asyncpg.DataError:
        if known is None:
            raise
        return await compare_version(connection, None)  # no snapshot
    except _REFUSED as error:
        raise DependencyUnavailable(repr(error), dependency=DATABASE, reason="version_refused") from error
    now = DataVersion(source, snapshot)
    return Comparison(now, known is not None and known.source == source and not has_changed)
