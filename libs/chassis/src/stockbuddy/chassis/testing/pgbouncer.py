"""A private PostgreSQL with the roles of a deployment behind PgBouncer, and its standbys behind another one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from stockbuddy.chassis.testing.postgres import FAST_SETTINGS
from stockbuddy.chassis.testing.server_folders import server_folder
from stockbuddy.local_servers.pgbouncer import LocalPgBouncer
from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.local_servers.postgres_programs import client_program
from stockbuddy.local_servers.standby import create_standby

ROLE_PASSWORD = "of-a-test"


@dataclass(frozen=True)
class PooledPostgres:
    """Services use `server`'s URL with their role, and the address of `pgbouncer`."""

    server: LocalPostgres
    pgbouncer: LocalPgBouncer


@dataclass(frozen=True)
class PooledReplicas:
    """A primary behind a PgBouncer, and its standbys behind another one."""

    primary: PooledPostgres
    standbys: Sequence[LocalPostgres]
    pgbouncer: LocalPgBouncer


@contextmanager
def pooled_postgres_server(services: Sequence[str], deploy: Path, **settings: str) -> Iterator[PooledPostgres]:
    """Both servers, with the scripts and files of the `deploy` folder; `settings` replace some of `pgbouncer.ini`."""
    with server_folder() as folder:
        # As root, the servers run as another account, which reaches its own folders through this one.
        folder.chmod(0o711)
        with LocalPostgres.start(folder / "postgres", settings=FAST_SETTINGS) as server:
            create_roles(server.url, services, deploy)
            with _pgbouncer(folder / "pgbouncer", [server], services, deploy, settings) as pgbouncer:
                yield PooledPostgres(server, pgbouncer)


@contextmanager
def pooled_replicas(
    services: Sequence[str], deploy: Path, *, standbys: int, **settings: str
) -> Iterator[PooledReplicas]:
    """See `pooled_postgres_server`; `settings` are those of both PgBouncers."""
    with (
        server_folder() as folder,
        pooled_postgres_server(services, deploy, **settings) as primary,
        ExitStack() as stack,
    ):
        folder.chmod(0o711)
        servers = []
        for number in range(standbys):
            create_standby(primary.server, folder / str(number))
            servers.append(stack.enter_context(LocalPostgres.start(folder / str(number), settings=FAST_SETTINGS)))
        pgbouncer = _pgbouncer(folder / "pgbouncer", servers, services, deploy, settings)
        yield PooledReplicas(primary, servers, stack.enter_context(pgbouncer))


def _pgbouncer(
    folder: Path, servers: Sequence[LocalPostgres], services: Sequence[str], deploy: Path, settings: Mapping[str, str]
) -> LocalPgBouncer:
    return LocalPgBouncer(
        folder,
        [server.url for server in servers],
        passwords=dict.fromkeys(services, ROLE_PASSWORD),
        configuration=(deploy / "pgbouncer/pgbouncer.ini").read_text(),
        settings=settings,
    )


def create_roles(url: str, services: Sequence[str], deploy: Path) -> None:
    """Create the two roles of each service, with ROLE_PASSWORD, or set their passwords again."""
    passwords = [f"--set=owner_password={ROLE_PASSWORD}", f"--set=password={ROLE_PASSWORD}"]
    for name in services:
        script = ["--file", str(deploy / "postgres/roles.sql"), url]
        command = [str(client_program("psql")), "--no-psqlrc", "--quiet", f"--set=service={name}", *passwords, *script]
        subprocess.run(command, check=True, cwd="/", timeout=60)


def as_role(url: str, role: str) -> str:
    """The URL of a local server for a role that `create_roles` has created."""
    return urlsplit(url)._replace(netloc=f"{role}:{ROLE_PASSWORD}@").geturl()
