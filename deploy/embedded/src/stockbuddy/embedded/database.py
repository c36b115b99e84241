"""The database of an embedded run: the operator's, or a private PostgreSQL in the data directory."""

import asyncio
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import asyncpg

from stockbuddy.chassis.runtime.companies import for_company
from stockbuddy.chassis.runtime.database_url import connect_arguments, server_of
from stockbuddy.embedded.company_databases import CONNECT_TIMEOUT_SECONDS, create_databases
from stockbuddy.embedded.errors import StartFailed
from stockbuddy.embedded.settings import EmbeddedSettings
from stockbuddy.local_servers.postgres import LocalPostgres


@contextmanager
def open_database(settings: EmbeddedSettings) -> Iterator[str]:
    """The URL of a database that runs at least until the block ends, with `{company}` if there are several. Raises
    StartFailed if the operator's database accepts no connection, or the data directory is not writable."""
    if settings.database_url is not None:
        for company in settings.selected:
            asyncio.run(_check(for_company(settings.database_url, company)))
        yield settings.database_url
        return
    directory = settings.data / "postgres"
    print(f"Starting PostgreSQL in {directory} …", file=sys.stderr, flush=True)
    try:
        server = LocalPostgres.start(directory)
    except OSError as error:
        raise StartFailed(
            f"STOCKBUDDY_DATA: can't write to {directory} ({error.strerror}): set another directory."
        ) from None
    with server:
        yield asyncio.run(create_databases(server.url, settings.selected))


async def _check(url: str) -> None:
    try:
        connection = await asyncpg.connect(
            **connect_arguments(url, timeout_seconds=CONNECT_TIMEOUT_SECONDS, server_settings={})
        )
        await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise StartFailed(f"DATABASE_URL: {_describe(url, error)}") from None


def _describe(url: str, error: Exception) -> str:
    parts, server = urlsplit(url), server_of(url)
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return f"{server} has no database {parts.path[1:]}: create it (createdb), or correct its name."
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return f"{server} refuses the user {parts.username} ({error}): correct the name or the password."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {server} is rejected ({error.verify_message}): correct sslrootcert or the name."
    if isinstance(error, FileNotFoundError) and parts.hostname:  # a missing socket has none
        return f"{server}: a file of sslrootcert, sslcert or sslkey does not exist: correct its path."
    if isinstance(error, OSError):
        reason = str(error) or "no response"
        return f"no PostgreSQL responds at {server} ({reason}): start it, or correct the address."
    return f"{server}: {error}".splitlines()[0]
