"""The database of a run: the operator's, or a private PostgreSQL in the data directory."""

from collections.abc import Iterator
from contextlib import contextmanager

from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.embedded.settings import EmbeddedSettings


@contextmanager
def database(settings: EmbeddedSettings) -> Iterator[str]:
    """The URL of a database that is there as long as the block runs."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    with LocalPostgres.start(settings.data / "postgres") as server:
        yield server.url
