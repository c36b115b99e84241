"""Reads of rare events in a large log do not scan the other events."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from asgi_lifespan import LifespanManager
from httpx2 import ASGITransport, AsyncClient

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.notifications.app import SERVICE, NotificationsSettings
from stockbuddy.notifications.event_log.word_index import WordIndex

LENGTH = 20_000
RARE_EACH = 7_000

# Inserted directly: publishing so many takes too long, and the hashes are not verified here.
FILL = f"""
    INSERT INTO event_log
    SELECT n, gen_random_uuid(), CASE WHEN n % {RARE_EACH} = 0 THEN 'auth.user.login_failed' ELSE
           'stock.' || (ARRAY['movement.posted', 'level.changed', 'sale.completed'])[n % 3 + 1] END,
        'product/' || n % 500, now(), 7, 'alice', '203.0.113.9', 'req-' || n, true, '{{"specversion":"1.0"}}',
        json_build_object('id', n, 'sku', 'SKU-' || n % 500), sha256('x')
    FROM generate_series(1, {LENGTH}) n
"""

READS: list[tuple[str, dict[str, Any], int]] = [
    ("/events", {"types": "auth.user.login_failed"}, 2),
    ("/events", {"types": "auth.*,nothing.*", "after": 10_000}, 1),
    ("/audit-logs", {"type": "auth.user.login_failed"}, 2),
    ("/audit-logs", {"action": "login_failed"}, 2),
    ("/audit-logs", {"actor": "nobody"}, 0),
    ("/audit-logs", {"ip_address": "198.51.100.4"}, 0),
    ("/audit-logs", {"search": "zzz"}, 0),
    ("/audit-logs", {"search": "sku login_failed"}, 2),
    ("/audit-logs", {"subject": "product/77", "page_size": 1}, 1),
]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "notifications"})
    await connection.execute(FILL)
    for table in ("event_log_head", "webhook_progress"):
        await connection.execute(f"UPDATE {table} SET position = {LENGTH}")
    await index_words(database_url)
    await connection.execute("VACUUM ANALYZE event_log, event_log_word")
    yield connection
    await connection.close()


async def index_words(database_url: str) -> None:
    database = Database(database_url, "notifications")
    index = WordIndex(database)
    await index.update()  # sees how long the log is
    while await index.update():
        pass
    await database.close()


async def rows_read(database: asyncpg.Connection) -> int:
    """Rows of the log read so far; the server counts those of a connection at the latest when it closes."""
    count: int = await database.fetchval(
        "SELECT seq_tup_read + coalesce((SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes"
        " WHERE relname = 'event_log'), 0) FROM pg_stat_user_tables WHERE relname = 'event_log'"
    )
    return count


async def test_rare_events_are_found_without_scanning_the_log(
    database: asyncpg.Connection, settings: NotificationsSettings, issuer: TestIssuer, until: Any
) -> None:
    before = await rows_read(database)
    app = create_app(SERVICE, settings, bus=InProcessBus(frozenset({"notifications"})), fetch_jwks=issuer.fetch_jwks)
    headers = issuer.headers(1, Role.ADMIN)
    async with (
        LifespanManager(app, startup_timeout=60, shutdown_timeout=60),
        AsyncClient(transport=ASGITransport(app), base_url="http://notifications/api/v1", headers=headers) as admin,
    ):
        for path, query, expected in READS:
            page = (await admin.get(path, params=query)).json()
            assert len(page["items"]) == expected, (path, query)

    async def connections_ended() -> bool:
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        return bool(await database.fetchval(f"{others} AND backend_type = 'client backend'") == 0)

    await until(connections_ended)
    assert await rows_read(database) - before < LENGTH / 2
