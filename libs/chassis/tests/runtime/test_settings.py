"""Settings from the environment and from files; rejection of development secrets in production."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from stockbuddy.chassis.runtime.settings import AccessTokenSettings, ReadReplicaSettings, ServiceSettings


class SealedSettings(ServiceSettings):
    secret_key: str = "development-key"


def test_setting_missing_in_the_environment_is_read_from_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "database_url").write_text("postgresql://stock:one@db/stockbuddy\n")
    (tmp_path / "bus_url").write_text("amqp://stock:one@mq/\n")
    monkeypatch.setenv("BUS_URL", "amqp://stock:two@mq/")
    settings = ServiceSettings(_secrets_dir=tmp_path)
    assert settings.database_url == "postgresql://stock:one@db/stockbuddy"
    assert settings.bus_url == "amqp://stock:two@mq/"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "development-key-that-protects-nothing"),
        ("DATABASE_URL", "postgresql://stock:development-secret@db/stockbuddy"),
        ("BUS_URL", "amqp://stock:development-secret@mq/"),
    ],
)
def test_production_rejects_development_secrets_without_printing_them(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "a-key-of-our-own")
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=f"{name} is a development secret") as refusal:
        SealedSettings(env="production")
    assert value not in str(refusal.value)
    SealedSettings(env="development")


def test_host_named_development_is_not_a_secret() -> None:
    url = "postgresql://stock:one@development-db/stockbuddy"
    assert SealedSettings(env="production", secret_key="our-own", database_url=url).database_url == url


def test_production_lists_all_weak_secrets_at_once() -> None:
    with pytest.raises(ValidationError) as refusal:
        SealedSettings(
            env="production",
            database_url="postgresql://postgres:postgres@db/stockbuddy",
            bus_url="amqp://guest:guest@mq/",
        )
    for name in ("DATABASE_URL", "BUS_URL", "SECRET_KEY"):
        assert f"{name} " in str(refusal.value)


def test_settings_repr_contains_no_password() -> None:
    shown = repr(ServiceSettings(database_url="postgresql://stock:pass-one@db/", bus_url="amqp://stock:pass-two@mq/"))
    assert "pass-one" not in shown
    assert "pass-two" not in shown


def test_access_token_lifetime_may_be_given_in_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert AccessTokenSettings(env="development").access_token_seconds == 900
    monkeypatch.setenv("ACCESS_TOKEN_EXPIRE_MINUTES", "30")
    assert AccessTokenSettings(env="development").access_token_seconds == 1800
    monkeypatch.setenv("ACCESS_TOKEN_SECONDS", "60")
    assert AccessTokenSettings(env="development").access_token_seconds == 60
    monkeypatch.setenv("ACCESS_TOKEN_EXPIRE_MINUTES", "soon")
    with pytest.raises(ValidationError, match="access_token_expire_minutes"):
        AccessTokenSettings(env="development")


def test_pooler_replaces_the_address_of_the_database_only() -> None:
    url = "postgresql://stock:a%40b@db:5433/stock_{company}?sslmode=verify-full&sslrootcert=/ca.pem&target_session_attrs=any"
    settings = ReadReplicaSettings(
        env="development",
        company="acme",
        database_url=url,
        database_pooler="pgbouncer-{company}:6432",
        database_read_pooler="[::1]:6433",
    )
    assert settings.pooler is not None
    assert settings.read_pooler is not None
    reached = "postgresql://stock:a%40b@{}/stock_acme?sslmode=verify-full&sslrootcert=%2Fca.pem"
    assert settings.pooler.through(settings.database_url) == reached.format("pgbouncer-acme:6432")
    assert settings.read_pooler.through(settings.database_url) == reached.format("[::1]:6433")


@pytest.mark.parametrize("address", ["pgbouncer", "postgresql://pgbouncer:6432", "stock@pgbouncer:6432", "a b:1"])
def test_address_of_a_pooler_is_a_host_and_a_port(address: str) -> None:
    with pytest.raises(ValidationError, match="a host and a port"):
        ServiceSettings(env="development", database_pooler=address)
    with pytest.raises(ValidationError, match="a host and a port"):
        ReadReplicaSettings(env="development", database_read_pooler=address)
    assert ServiceSettings(env="development", database_pooler="").pooler is None
