"""Serves an app over HTTP in a process of its own."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from sqlalchemy import text

from stockbuddy.chassis.http.errors import Unavailable, problem_response
from stockbuddy.chassis.http.health import health_router
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.server_clock import synchronise_clock
from stockbuddy.chassis.runtime.companies import company_context
from stockbuddy.chassis.runtime.database_url import server_of
from stockbuddy.chassis.runtime.failures import DATABASE, DependencyUnavailable, is_environment_fault
from stockbuddy.chassis.runtime.logging import configure_logging
from stockbuddy.chassis.runtime.outages import OutageLog
from stockbuddy.chassis.runtime.ports import check_ports_or_exit
from stockbuddy.chassis.runtime.process import prepare_to_serve
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.runtime.shutdown import DrainingServer

DATABASE_INTERVAL_SECONDS = 1.0
HEALTH_DELAY_SECONDS = 1.0
INTERRUPTED_EXIT_CODE = 130
_IS_MIGRATED = text("SELECT FROM outbox_chunk LIMIT 1")


def serve(app: Any, companies: Sequence[ServiceSettings], *, schema: str | None = None) -> None:
    """Serve until SIGTERM or SIGINT; in-flight requests are completed first. Waits for the tables of `schema` in the
    database of each company before it starts, unless it is None."""
    settings = companies[0]
    configure_logging(level=settings.log_level, output="console" if settings.env == "development" else "json")
    check_ports_or_exit(settings.host, settings.port)
    if schema is not None:
        try:
            for company in companies:
                with company_context(company.company):  # its clock is set
                    asyncio.run(wait_alive(company, schema))
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED_EXIT_CODE)
    prepare_to_serve()
    DrainingServer(_config(app, settings)).run()


def _config(app: Any, settings: ServiceSettings) -> uvicorn.Config:
    return uvicorn.Config(
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


async def wait_alive(settings: ServiceSettings, schema: str) -> None:
    """Return once the schema's tables can be read. If that takes longer than a moment, health checks are answered
    meanwhile: an orchestrator would restart a process that is not alive, and delay each restart further."""
    outage = OutageLog("start.waiting_for_database", service=schema, server=server_of(settings.database_url))
    waiting = asyncio.create_task(wait_for_database(settings, schema, outage))
    await asyncio.wait([waiting], timeout=HEALTH_DELAY_SECONDS)
    if not waiting.done():
        server = uvicorn.Server(_config(_health_app(outage), settings))
        serving = asyncio.create_task(server.serve())
        try:
            await asyncio.wait([waiting, serving], return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise KeyboardInterrupt
        finally:
            server.should_exit = True
            await serving
    await waiting


def _health_app(outage: OutageLog) -> FastAPI:
    """Alive, not ready, and 503 for every other path."""

    async def report_outage() -> None:
        raise DependencyUnavailable(dependency=DATABASE, reason=outage.failure.reason if outage.failure else None)

    async def refuse(_: Request, __: Exception) -> Response:
        return problem_response(Unavailable())

    app = FastAPI(openapi_url=None, exception_handlers={404: refuse})
    app.include_router(health_router({DATABASE: report_outage}, essential={DATABASE}))
    return app


async def wait_for_database(settings: ServiceSettings, schema: str, outage: OutageLog) -> None:
    """Return once the schema's tables can be read, with the clock at the server's time. Until then, `outage` has the
    reason."""
    database = Database(settings.database_url, schema, pool_size=1, pooler=settings.pooler)
    try:
        while True:
            try:
                async with database.reading() as session:
                    await session.execute(_IS_MIGRATED)
                    await synchronise_clock(session)
            except Exception as error:
                if not is_environment_fault(error):
                    raise
                outage.record(error)
                await asyncio.sleep(DATABASE_INTERVAL_SECONDS)
            else:
                return outage.end()
    finally:
        await database.close()
