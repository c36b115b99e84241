"""Serves an app over HTTP in a process of its own."""

import asyncio
import sys
from typing import Any

import uvicorn
from sqlalchemy import text

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.database_url import server_of
from stockbuddy.chassis.runtime.failures import is_environment_fault
from stockbuddy.chassis.runtime.logging import configure_logging
from stockbuddy.chassis.runtime.outages import OutageLog
from stockbuddy.chassis.runtime.process import prepare_to_serve
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.runtime.shutdown import DrainingServer

DATABASE_INTERVAL_SECONDS = 1.0
INTERRUPTED_EXIT_CODE = 130
_IS_MIGRATED = text("SELECT FROM outbox LIMIT 1")


def serve(app: Any, settings: ServiceSettings, *, schema: str | None = None) -> None:
    """Serve until SIGTERM or SIGINT; in-flight requests are completed first. Waits for the tables of `schema` before it
    starts, unless it is None."""
    configure_logging(level=settings.log_level, output="console" if settings.env == "development" else "json")
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,  # RequestContextMiddleware alone determines the client's address
        timeout_keep_alive=75,  # longer than the gateway keeps an idle connection, so that the gateway closes first
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
    )
    if schema is not None:
        try:
            asyncio.run(wait_for_database(settings.database_url, schema))
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED_EXIT_CODE)
    prepare_to_serve()
    DrainingServer(config).run()


async def wait_for_database(url: str, schema: str) -> None:
    """Return once the schema's tables can be read. Until then, the reason is logged once and then every 30 s."""
    database = Database(url, schema, pool_size=1)
    outage = OutageLog("start.waiting_for_database", service=schema, server=server_of(url))
    try:
        while True:
            try:
                async with database.reading() as session:
                    await session.execute(_IS_MIGRATED)
            except Exception as error:
                if not is_environment_fault(error):
                    raise
                outage.record(error)
                await asyncio.sleep(DATABASE_INTERVAL_SECONDS)
            else:
                return outage.end()
    finally:
        await database.close()
