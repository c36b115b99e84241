"""The databases of companies in the private PostgreSQL of an installation."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import asyncpg

from stockbuddy.chassis.runtime.companies import PLACEHOLDER
from stockbuddy.chassis.runtime.database_url import connect_arguments

CONNECT_TIMEOUT_SECONDS = 10


def with_company(server_url: str, company: str | None) -> str:
    """The URL of the company's database; of the server's own one in an installation of one company."""
    if company is None:
        return server_url
    parts = urlsplit(server_url)
    return parts._replace(path=f"/{_database_of(company)}").geturl()


async def create_databases(server_url: str, companies: Sequence[str | None]) -> str:
    """Create those that do not exist. Returns the URL of each, with `{company}` for its name."""
    names = [_database_of(company) for company in companies if company is not None]
    if not names:
        return server_url
    connection = await asyncpg.connect(
        **connect_arguments(server_url, timeout_seconds=CONNECT_TIMEOUT_SECONDS, server_settings={})
    )
    try:
        found = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        for name in names:
            if name not in found:
                await connection.execute(f'CREATE DATABASE "{name}"')  # names have no quotes
    finally:
        await connection.close()
    return with_company(server_url, PLACEHOLDER)


def _database_of(company: str) -> str:
    return f"stockbuddy_{company}"
