"""Classification of failures (ADR 13): the environment's fault, so that the same work succeeds later, or the item's.

The environment's faults make everything wait. An item (request, message, event, job, e-mail, delivery) that fails by
its own fault is set aside alone.
"""

import errno
from dataclasses import dataclass
from typing import ClassVar

import asyncpg
from sqlalchemy.exc import DBAPIError, DisconnectionError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class DependencyUnavailable(Exception):
    """A dependency can't do its part at the moment; the same work may succeed later. Subclasses, or the constructor,
    name the dependency and the reason for people and for readiness."""

    dependency: str = "dependency"
    reason: str = "unavailable"

    def __init__(self, message: str = "", *, dependency: str | None = None, reason: str | None = None) -> None:
        self.dependency = dependency or self.dependency
        self.reason = reason or self.reason
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Failure:
    """The result of `classify`. `reason` is a snake_case code, such as `read_only`; `str()` is for people and contains
    no internal details: `database: read only`."""

    dependency: str
    reason: str

    OWN: ClassVar["Failure"]
    """The item's own fault."""

    @property
    def is_environment(self) -> bool:
        return self is not Failure.OWN

    @property
    def affects_everything(self) -> bool:
        """False for a fault that may be limited to one table or to heavy statements."""
        return self.is_environment and self.reason not in (LOCK_TIMEOUT, TIMED_OUT, BUSY)

    def __str__(self) -> str:
        return f"{self.dependency}: {self.reason.replace('_', ' ')}"


Failure.OWN = Failure("item", "own_fault")

DATABASE = "database"
UNREACHABLE = "unavailable"
READ_ONLY = "read_only"
DISK_FULL = "disk_full"
LOCK_TIMEOUT = "lock_timeout"
TIMED_OUT = "timed_out"
BUSY = "busy"

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
_ERRNOS = {errno.ENOSPC: DISK_FULL, errno.EDQUOT: DISK_FULL, errno.EROFS: READ_ONLY, errno.EIO: "storage_failed"}
_POOL_GAVE_UP = "This connection is closed"
"""Message of SQLAlchemy's InvalidRequestError if each new connection was closed at once."""


def classify(error: BaseException) -> Failure:
    """The failure that `error` reports; `Failure.OWN` if the item itself is at fault or nothing is known."""
    if isinstance(error, DependencyUnavailable):
        return Failure(error.dependency, error.reason)
    if isinstance(error, DBAPIError):
        cause = error.orig.__cause__ if error.orig is not None else None
        failure = Failure.OWN if cause is None else classify(cause)
        return failure if failure.is_environment or not error.connection_invalidated else Failure(DATABASE, UNREACHABLE)
    if isinstance(error, asyncpg.PostgresError):
        return _classify_sqlstate(error.sqlstate or "")
    if isinstance(error, OSError) and error.errno in _ERRNOS:
        return Failure("storage", _ERRNOS[error.errno])
    reason = _reason_of_client_error(error)
    return Failure.OWN if reason is None else Failure(DATABASE, reason)


def is_environment_fault(error: BaseException) -> bool:
    """True if the same work may succeed later without any change to it."""
    return classify(error).is_environment


def is_unstorable(error: BaseException) -> bool:
    """True for SQLSTATE class 22: PostgreSQL can never store or compute with a value of the item, such as NUL in a
    text, so that a repetition is useless."""
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig is not None else error
    return isinstance(cause, asyncpg.PostgresError) and (cause.sqlstate or "").startswith("22")


def _classify_sqlstate(sqlstate: str) -> Failure:
    reason = _SQLSTATES.get(sqlstate) or _SQLSTATE_CLASSES.get(sqlstate[:2])
    return Failure.OWN if reason is None else Failure(DATABASE, reason)


def _reason_of_client_error(error: BaseException) -> str | None:
    if isinstance(error, asyncpg.DataError):
        return None  # an InterfaceError as well: a value that can't be sent, such as an integer beyond 64 bits
    if isinstance(error, PoolTimeout):
        return BUSY
    if isinstance(error, TimeoutError):
        return TIMED_OUT
    # InternalClientError: raised after the server's Terminate message, before the socket closes.
    if isinstance(error, (OSError, DisconnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError)):
        return UNREACHABLE
    return UNREACHABLE if isinstance(error, InvalidRequestError) and str(error) == _POOL_GAVE_UP else None
