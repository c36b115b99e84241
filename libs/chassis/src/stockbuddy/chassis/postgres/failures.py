"""Classification of the errors of PostgreSQL, asyncpg and SQLAlchemy."""

import ssl

import asyncpg
from sqlalchemy.exc import DBAPIError, DisconnectionError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from stockbuddy.chassis.runtime.failures import (
    BUSY,
    DATABASE,
    DISK_FULL,
    LOCK_TIMEOUT,
    READ_ONLY,
    TIMED_OUT,
    UNREACHABLE,
    Failure,
    classify,
)

_SQLSTATES = {
    "25006": READ_ONLY,  # also a primary that became a standby
    "3D000": "database_missing",
    "3F000": "schema_missing",
    "42P01": "schema_missing",  # a table: not migrated yet, or a restore in progress
    "42501": "privileges_missing",
    "53100": DISK_FULL,
    "53300": "too_many_connections",
    "55P03": LOCK_TIMEOUT,
    "57014": TIMED_OUT,
    "57P03": "starting",
}
_SQLSTATE_CLASSES = {
    "08": UNREACHABLE,
    "28": "credentials_refused",  # a rotated password, NOLOGIN, pg_hba.conf
    "53": "resources_exhausted",
    "57": "shutting_down",
    "58": "storage_failed",
}
_POOL_GAVE_UP = "This connection is closed"
"""Message of SQLAlchemy's InvalidRequestError if each new connection was closed at once."""


def is_unstorable(error: BaseException) -> bool:
    """True for SQLSTATE class 22: PostgreSQL can never store or compute with a value of the item, such as NUL in a
    text, so that a repetition is useless."""
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig is not None else error
    return isinstance(cause, asyncpg.PostgresError) and (cause.sqlstate or "").startswith("22")


def classify_database_error(error: BaseException) -> Failure | None:
    """None if it is no error of the database."""
    if isinstance(error, DBAPIError):
        cause = error.orig.__cause__ if error.orig is not None else None
        failure = Failure.OWN if cause is None else classify(cause)
        return failure if failure.is_environment or not error.connection_invalidated else Failure(DATABASE, UNREACHABLE)
    if isinstance(error, asyncpg.PostgresError):
        reason = _SQLSTATES.get(error.sqlstate or "") or _SQLSTATE_CLASSES.get((error.sqlstate or "")[:2])
        return Failure.OWN if reason is None else Failure(DATABASE, reason)
    if isinstance(error, asyncpg.DataError):
        return Failure.OWN  # an InterfaceError as well: a value that can't be sent, such as an integer beyond 64 bits
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failure(DATABASE, "certificate_rejected")
    if isinstance(error, PoolTimeout):
        return Failure(DATABASE, BUSY)
    # InternalClientError: raised after the server's Terminate message, before the socket closes.
    lost = isinstance(error, (DisconnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError))
    gave_up = isinstance(error, InvalidRequestError) and str(error) == _POOL_GAVE_UP
    return Failure(DATABASE, UNREACHABLE) if lost or gave_up else None
