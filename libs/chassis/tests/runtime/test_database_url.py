"""`DATABASE_URL` with the parameters of libpq."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.database_url import check_database_url, connect_arguments
from stockbuddy.chassis.runtime.failures import classify
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.testing.postgres_tls import tls_in_front_of


def arguments(url: str) -> dict[str, object]:
    return connect_arguments(url, timeout_seconds=10, server_settings={"search_path": "probe"})


def test_credentials_and_settings_are_translated() -> None:
    translated = arguments("postgres://a%40b:p@ss:w%2Frd%25@db:5433/shop?connect_timeout=3&application_name=till")
    assert translated["user"] == "a@b"
    assert translated["password"] == "p@ss:w/rd%"
    assert translated["timeout"] == 3
    assert translated["server_settings"] == {"search_path": "probe", "application_name": "till"}
    assert translated["dsn"] == "postgresql://db:5433/shop"


def test_dollar_is_an_ordinary_character(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the environment nor a file is expanded, as a shell would do it."""
    url = "postgresql://till:pa$HOME$$1${PATH}@db/shop$1"
    monkeypatch.setenv("DATABASE_URL", url)
    given = [ServiceSettings().database_url]
    monkeypatch.delenv("DATABASE_URL")
    (tmp_path / "database_url").write_text(url)
    given.append(ServiceSettings(_secrets_dir=tmp_path).database_url)
    for one in given:
        check_database_url(one)
        assert one == url
        assert arguments(one)["password"] == "pa$HOME$$1${PATH}"
        assert arguments(one)["dsn"] == "postgresql://db/shop$1"


async def test_login_with_a_dollar_in_the_password(database_url: str) -> None:
    role, password = "till$1", "pa$HOME$$1"
    owner = Database(database_url, "probe")
    async with owner.transaction() as session:
        await session.execute(text(f"""CREATE ROLE "{role}" LOGIN PASSWORD '{password}'"""))
    parts = urlsplit(database_url)
    place = parts.netloc.rpartition("@")[2]
    till = Database(parts._replace(netloc=f"{role}:{password}@{place}").geturl(), "probe")
    async with till.reading() as session:
        assert await session.scalar(text("SELECT current_user")) == role
    await till.close()
    async with owner.transaction() as session:
        await session.execute(text(f'DROP ROLE "{role}"'))
    await owner.close()


def test_several_hosts_are_passed_as_a_list() -> None:
    translated = arguments("postgresql://u@/shop?host=a:5432&host=b:5433&target_session_attrs=read-write")
    assert translated["dsn"] == "postgresql:///shop?host=a%3A5432%2Cb%3A5433&target_session_attrs=read-write"


def test_certificates_of_the_system_verify_the_server() -> None:
    context = arguments("postgresql://u@db/shop?sslmode=verify-full&sslrootcert=system")["ssl"]
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_parameters_without_effect_are_named_in_one_warning() -> None:
    with capture_logs() as logs:
        for _ in range(2):
            arguments("postgresql://u@db/shop?sslcompression=0&sslsni=1&sslmode=require")
    assert [entry["parameters"] for entry in logs] == [["sslcompression", "sslsni"]]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://u@db/shop?sslmod=require", "sslmod"),
        ("postgresql://u@db/shop?connect_timeout=soon", "connect_timeout"),
        ("mysql://u@db/shop", "postgresql://"),
    ],
)
def test_url_that_libpq_rejects_is_rejected(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_database_url(url)


async def test_connection_with_libpq_parameters_works(database_url: str) -> None:
    separator = "&" if "?" in database_url else "?"
    parameters = "sslmode=prefer&connect_timeout=5&application_name=till&channel_binding=prefer&keepalives=1"
    database = Database(f"{database_url}{separator}{parameters}&options=-cstatement_timeout%3D7s", "probe")
    async with database.reading() as session:
        found = (
            await session.execute(
                text("SELECT current_setting('application_name'), current_setting('statement_timeout')")
            )
        ).one()
        assert tuple(found) == ("till", "7s")
        assert await session.scalar(text("SELECT current_schema()")) == "probe"
    await database.close()


async def test_server_without_tls_is_rejected_if_tls_is_required() -> None:
    async def refuse_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)  # SSLRequest
        writer.write(b"N")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(refuse_tls, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        database = Database(f"postgresql://probe@127.0.0.1:{port}/shop?sslmode=require", "probe")
        with pytest.raises(ConnectionError, match="SSL"):
            await database.ping()
        await database.close()


async def test_server_is_verified_with_the_certificate_of_the_url(
    database_url: str, certificate: Path, create_certificate: Callable[[], Path]
) -> None:
    parts = urlsplit(database_url)
    credentials = parts.netloc.rpartition("@")[0]
    async with tls_in_front_of(database_url, certificate) as port:

        def database(host: str, root: Path) -> Database:
            url = f"postgresql://{credentials}@{host}:{port}{parts.path}?sslmode=verify-full&sslrootcert={root}"
            return Database(url, "probe")

        verified = database("localhost", certificate)
        await verified.ping()
        await verified.close()
        for host, root in (("localhost", create_certificate()), ("127.0.0.1", certificate)):
            rejected = database(host, root)
            with pytest.raises(ssl.SSLCertVerificationError) as error:
                await rejected.ping()
            assert str(classify(error.value)) == "database: certificate rejected"
            await rejected.close()
