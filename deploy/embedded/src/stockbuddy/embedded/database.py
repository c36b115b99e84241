"""The database of an embedded run: the operator's, or a private PostgreSQL in the data directory."""

from collections.abc import Iterator
from contextlib import contextmanager

from stockbuddy.embedded.settings import EmbeddedSettings
from stockbuddy.local_servers.postgres import LocalPostgres


@contextmanager
def open_database(settings: EmbeddedSettings) -> Iterator[str]:
    """The URL of a database that runs at least until the block ends."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    with LocalPostgres.start(settings.data / "postgres") as server:
        yield server.url
