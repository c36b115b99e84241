"""TLS from a service to PgBouncer, and from PgBouncer to PostgreSQL: each verifies the certificate of the next."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import classify
from stockbuddy.chassis.runtime.pooler import Pooler
from stockbuddy.chassis.testing.pgbouncer import ROLE_PASSWORD, create_roles
from stockbuddy.chassis.testing.postgres_tls import tls_in_front_of
from stockbuddy.chassis.testing.server_folders import server_folder
from stockbuddy.local_servers.pgbouncer import LocalPgBouncer
from stockbuddy.local_servers.postgres import LocalPostgres

DEPLOY = Path(__file__).parents[4] / "deploy"
SETTINGS = {
    "client_tls_sslmode": "require",
    "client_tls_cert_file": "own.pem",
    "client_tls_key_file": "own.pem",
    "server_tls_sslmode": "verify-full",
    "server_tls_ca_file": "server.pem",
    "query_wait_timeout": "2",
}


@asynccontextmanager
async def pgbouncer_with_tls(url: str, certificate: Path, server_root: Path) -> AsyncIterator[LocalPgBouncer]:
    """Has the certificate itself, and so has its server, which it verifies with `server_root`."""
    async with tls_in_front_of(url, certificate) as port:
        with server_folder() as folder:
            folder.chmod(0o711)
            with LocalPgBouncer(
                folder / "pgbouncer",
                [f"postgresql:///?host=localhost&port={port}"],
                passwords={"probe": ROLE_PASSWORD},
                configuration=(DEPLOY / "pgbouncer/pgbouncer.ini").read_text(),
                settings=SETTINGS,
                files={"own.pem": certificate.read_text(), "server.pem": server_root.read_text()},
            ) as pgbouncer:
                yield pgbouncer


@asynccontextmanager
async def database_behind(pgbouncer: LocalPgBouncer, parameters: str) -> AsyncIterator[Database]:
    pooler = Pooler(pgbouncer.address.replace("127.0.0.1", "localhost"))
    database = Database(f"postgresql://probe:{ROLE_PASSWORD}@db/postgres?{parameters}", "probe", pooler=pooler)
    yield database
    await database.close()


async def test_each_connection_is_encrypted_and_verified(
    private_postgres: LocalPostgres, certificate: Path, create_certificate: Callable[[], Path]
) -> None:
    await asyncio.to_thread(create_roles, private_postgres.url, ["probe"], DEPLOY)
    verified = f"sslmode=verify-full&sslrootcert={certificate}"
    async with pgbouncer_with_tls(private_postgres.url, certificate, certificate) as pgbouncer:
        async with database_behind(pgbouncer, verified) as database:
            await database.ping()
            for connections in ("SHOW CLIENTS", "SHOW SERVERS"):
                rows = await asyncio.to_thread(pgbouncer.command, connections)
                assert [row["tls"][:4] for row in rows if row["user"] == "probe"] == ["TLSv"], connections
        async with database_behind(pgbouncer, f"sslmode=verify-full&sslrootcert={create_certificate()}") as database:
            with pytest.raises(ssl.SSLCertVerificationError):
                await database.ping()
        async with database_behind(pgbouncer, "sslmode=disable") as database:
            with pytest.raises(Exception, match="SSL required"):
                await database.ping()
    async with (
        pgbouncer_with_tls(private_postgres.url, certificate, create_certificate()) as pgbouncer,
        database_behind(pgbouncer, verified) as database,
    ):
        with pytest.raises(Exception) as refused:
            await database.ping()
        assert str(classify(refused.value)) == "database: unavailable"
