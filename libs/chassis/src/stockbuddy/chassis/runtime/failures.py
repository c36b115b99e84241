"""Classification of failures: is a dependency unavailable, or is the work itself at fault?"""

import asyncpg
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class DependencyUnavailable(Exception):
    """A dependency can't do its part at the moment; the same work may succeed later."""


def is_unavailable(error: BaseException) -> bool:
    """True if a dependency is unavailable, False if the work itself is at fault."""
    return isinstance(error, DependencyUnavailable) or is_connection_error(error)


def is_connection_error(error: BaseException) -> bool:
    """True if the database could not be reached or closed the connection, so that the same work may succeed later;
    False if the work itself is at fault."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        cause = error.orig.__cause__ if error.orig is not None else None
        return isinstance(error, OperationalError) or (cause is not None and is_connection_error(cause))
    return isinstance(
        error,
        (
            OSError,
            TimeoutError,
            PoolTimeout,
            asyncpg.PostgresConnectionError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,  # raised after the server's Terminate message, before the socket closes
            asyncpg.OperatorInterventionError,
            asyncpg.InsufficientResourcesError,
        ),
    )
