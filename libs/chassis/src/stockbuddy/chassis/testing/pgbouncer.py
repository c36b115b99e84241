"""A private PostgreSQL with the roles of a deployment, behind a private PgBouncer."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from stockbuddy.chassis.testing.postgres import FAST_SETTINGS
from stockbuddy.chassis.testing.server_folders import server_folder
from stockbuddy.local_servers.pgbouncer import LocalPgBouncer
from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.local_servers.postgres_programs import client_program

ROLE_PASSWORD = "of-a-test"


@dataclass(frozen=True)
class PooledPostgres:
    """Services use `server`'s URL with their role, and the address of `pgbouncer`."""

    server: LocalPostgres
    pgbouncer: LocalPgBouncer


@contextmanager
def pooled_postgres_server(services: Sequence[str], deploy: Path, **settings: str) -> Iterator[PooledPostgres]:
    """Both servers, with the scripts and files of the `deploy` folder; `settings` replace some of `pgbouncer.ini`."""
    with server_folder() as folder:
        # As root, the servers run as another account, which reaches its own folders through this one.
        folder.chmod(0o711)
        with LocalPostgres.start(folder / "postgres", settings=FAST_SETTINGS) as server:
            create_roles(server.url, services, deploy)
            with LocalPgBouncer(
                folder / "pgbouncer",
                server.url,
                passwords=dict.fromkeys(services, ROLE_PASSWORD),
                configuration=(deploy / "pgbouncer/pgbouncer.ini").read_text(),
                settings=settings,
            ) as pgbouncer:
                yield PooledPostgres(server, pgbouncer)


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
