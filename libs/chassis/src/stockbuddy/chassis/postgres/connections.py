"""Opens the serving connections of a service, directly or through PgBouncer."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

import asyncpg

from stockbuddy.chassis.postgres.pooled_connection import PooledConnection
from stockbuddy.chassis.runtime import metrics
from stockbuddy.chassis.runtime.companies import current_company
from stockbuddy.chassis.runtime.database_url import connect_arguments
from stockbuddy.chassis.runtime.failures import DATABASE, DependencyUnavailable
from stockbuddy.chassis.runtime.pooler import Pooler

ACQUIRE_TIMEOUT_SECONDS = 10
STATEMENT_TIMEOUT_SECONDS = 30
LOCK_TIMEOUT_SECONDS = 4
"""Well below the pool's timeout: while one table is locked, the requests waiting for it must not use up the pool."""

ROLE_SETTINGS_MISSING = "role_settings_missing"

Connect = Callable[[], Awaitable[asyncpg.Connection]]

_NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
_NAMED_SETTINGS = "SELECT name, current_setting(name) FROM unnest($1::text[]) AS name"


def server_settings(schema: str) -> dict[str, str]:
    """What every serving connection needs."""
    return {
        "search_path": schema,
        "timezone": "UTC",
        "jit": "off",  # JIT compilation takes longer than our short statements run
        "lock_timeout": f"{LOCK_TIMEOUT_SECONDS}s",
    }


def role_settings(schema: str) -> dict[str, str]:
    """What the role needs if its connections go through a pooler (deploy/postgres/roles.sql)."""
    # PostgreSQL notices a closed connection and ends its statement: PooledConnection sends no cancel requests.
    return {**server_settings(schema), "client_connection_check_interval": "2s"}


def serving_connections(
    url: str,
    schema: str,
    *,
    pooler: Pooler | None = None,
    settings: Mapping[str, str] = _NO_SETTINGS,
    timeout_seconds: float = ACQUIRE_TIMEOUT_SECONDS,
) -> Connect:
    """A function that opens a connection within `timeout_seconds`. `settings`: more session settings, without a pooler
    only; an `application_name` replaces the schema's name."""
    if pooler is not None:
        return _pooled_connections(url, schema, pooler, timeout_seconds)
    all_settings = {**server_settings(schema), "application_name": schema, **settings}
    arguments = connect_arguments(url, timeout_seconds=timeout_seconds, server_settings=all_settings)

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(**arguments, command_timeout=STATEMENT_TIMEOUT_SECONDS)

    return connect


def is_interrupted(connection: asyncpg.Connection) -> bool:
    """Whether the connection, through a pooler, must not be used again."""
    # asyncpg makes each of its connections an instance of every subclass.
    return type(connection) is PooledConnection and connection.is_interrupted


def _pooled_connections(url: str, schema: str, pooler: Pooler, timeout_seconds: float) -> Connect:
    arguments = connect_arguments(
        pooler.through(url),
        timeout_seconds=timeout_seconds,
        # The same for all clients of a pool: PgBouncer would set another one again at each assignment.
        server_settings={"application_name": schema},
    )
    if not pooler.keeps_statements:
        arguments["statement_cache_size"] = 0
    waits = metrics.POOLER_WAIT_SECONDS.labels(current_company(), schema, pooler.address)
    is_checked = False

    async def connect() -> asyncpg.Connection:
        nonlocal is_checked
        connection = await asyncpg.connect(
            **arguments, command_timeout=STATEMENT_TIMEOUT_SECONDS, connection_class=PooledConnection
        )
        connection.record_wait = waits.observe
        if not is_checked:
            try:
                await _check_settings(connection, schema, timeout_seconds)
            except BaseException:
                connection.terminate()
                raise
            is_checked = True
        return connection

    return connect


async def _check_settings(connection: asyncpg.Connection, schema: str, timeout_seconds: float) -> None:
    """Raises DependencyUnavailable if the role lacks a setting: with another search path or time zone, statements would
    read other tables or times."""
    expected = role_settings(schema)
    actual = dict(await connection.fetch(_NAMED_SETTINGS, list(expected), timeout=timeout_seconds))
    if different := sorted(name for name, value in expected.items() if actual[name] != value):
        message = f"the database role of {schema} lacks {', '.join(different)}: run deploy/postgres/roles.sql again"
        raise DependencyUnavailable(message, dependency=DATABASE, reason=ROLE_SETTINGS_MISSING)
