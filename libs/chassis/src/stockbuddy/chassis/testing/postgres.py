"""The PostgreSQL for tests: the one of STOCKBUDDY_TEST_DATABASE_URL if set, else a container, else a private server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from testcontainers.community.postgres import PostgresContainer

from stockbuddy.chassis.testing.docker_engine import LOOPBACK, docker_runs, publish_on_loopback
from stockbuddy.chassis.testing.server_folders import server_folder
from stockbuddy.local_servers.ports import free_port
from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.local_servers.standby import create_standby

IMAGE = "postgres:18"
# A test's data need not survive a power cut.
FAST_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "1h",
}


@dataclass(frozen=True)
class PostgresServer:
    url: str  # of its superuser


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    if url := os.environ.get("STOCKBUDDY_TEST_DATABASE_URL"):
        yield PostgresServer(url)
    elif docker_runs(IMAGE):
        port = free_port()
        with _container(port):
            yield PostgresServer(f"postgresql://postgres:postgres@{LOOPBACK}:{port}/postgres")
    else:
        with private_postgres_server() as server:
            yield PostgresServer(server.url)


@contextmanager
def private_postgres_server() -> Iterator[LocalPostgres]:
    """A server that a test may stop, kill and restart."""
    with (
        server_folder() as folder,
        LocalPostgres.start(folder, settings=FAST_SETTINGS) as server,
    ):
        yield server


@dataclass(frozen=True)
class ReplicatedPostgres:
    """A primary and its hot standby, which a test may stop, kill and restart."""

    primary: LocalPostgres
    standby: LocalPostgres


@contextmanager
def replicated_postgres_server() -> Iterator[ReplicatedPostgres]:
    with server_folder() as folder:
        # As root, the servers run as another account; the standby reaches the primary's socket through this folder.
        folder.chmod(0o711)
        with LocalPostgres.start(folder / "primary", settings=FAST_SETTINGS) as primary:
            create_standby(primary, folder / "standby")
            with LocalPostgres.start(folder / "standby", settings=FAST_SETTINGS) as standby:
                yield ReplicatedPostgres(primary, standby)


def _container(port: int) -> PostgresContainer:
    settings = [word for name, value in FAST_SETTINGS.items() for word in ("-c", f"{name}={value}")]
    container = PostgresContainer(IMAGE, username="postgres", password="postgres", dbname="postgres")
    publish_on_loopback(container, 5432, port)
    return container.with_command(["postgres", *settings])
