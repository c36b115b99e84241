"""A database with the tables of the probe service, and certificates."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.testing.templates import Migrate, ServiceMigrations


@pytest.fixture(scope="session")
def migrations() -> Sequence[Migrate]:
    return [ServiceMigrations("probe", Path(__file__).parent / "probe" / "migrations")]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = outbox.open_database(database_url, "probe", pool_size=5)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def create_certificate(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    def create() -> Path:
        """A self-signed certificate of localhost with its key, in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        signed = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        path = tmp_path_factory.mktemp("certificate") / "server.pem"
        path.write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()) + signed.public_bytes(pem))
        return path

    return create


@pytest.fixture(scope="session")
def certificate(create_certificate: Callable[[], Path]) -> Path:
    return create_certificate()
