"""Names of settings that other systems use."""

from typing import ClassVar

import pytest

from stockbuddy.chassis.runtime.common_names import NAMES
from stockbuddy.chassis.runtime.settings import InvalidSettings, ServiceSettings, load_settings


class PublicSettings(ServiceSettings):
    """Like those of the gateway."""

    is_public: ClassVar[bool] = True
    env: str = "development"  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMES, "DATABASE_URL", "LOG_LEVEL", "HOST", "PORT"):
        monkeypatch.delenv(name, raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> PublicSettings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings(PublicSettings)


def test_database_is_composed_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {"DB_HOST": "db", "DB_PORT": "6432", "DB_NAME": "shop", "DB_USER": "ann", "DB_PASSWORD": "p@ss/word"}
    settings = load(monkeypatch, **parts)
    assert settings.database_url == "postgresql://ann:p%40ss%2Fword@db:6432/shop"
    (line,) = settings.describe_common_names()
    assert line == f"{', '.join(parts)}: read as DATABASE_URL=postgresql://ann:…@db:6432/shop"


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"DB_HOST": "::1"}, "postgresql://postgres@[::1]:5432/postgres"),
        ({"DB_NAME": "shop"}, "postgresql://postgres@127.0.0.1:5432/shop"),
        ({"DB_HOST": " "}, "postgresql://postgres@127.0.0.1:5432/postgres"),
    ],
)
def test_missing_parts_are_those_of_the_default(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str
) -> None:
    settings = load(monkeypatch, **variables)
    assert settings.database_url == url


def test_own_names_take_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, DATABASE_URL="postgresql://one/shop", DB_HOST="two", LOG_LEVEL="error", DEBUG="true")
    assert (settings.database_url, settings.log_level) == ("postgresql://one/shop", "error")
    assert settings.describe_common_names() == [
        "DB_HOST: ignored, because DATABASE_URL is set",
        "DEBUG: ignored, because LOG_LEVEL is set",
    ]


def test_address_of_the_api_is_that_of_its_server_only(monkeypatch: pytest.MonkeyPatch) -> None:
    public = load(monkeypatch, API_HOST="0.0.0.0", API_PORT="9000", DEBUG="True")
    assert (public.host, public.port, public.log_level, public.env) == ("0.0.0.0", 9000, "debug", "development")
    assert public.describe_common_names() == [
        "API_HOST: read as HOST=0.0.0.0",
        "API_PORT: read as PORT=9000",
        "DEBUG: read as LOG_LEVEL=debug",
    ]
    service = ServiceSettings(env="development")
    assert (service.host, service.port) == ("127.0.0.1", 8000)


def test_all_invalid_values_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidSettings) as found:
        load(monkeypatch, DB_PORT="eighty", API_PORT="70000", DEBUG="maybe", LOG_LEVEL="loud")
    assert [line.partition(":")[0] for line in found.value.lines] == [
        "DB_PORT",
        "API_PORT",
        "DEBUG",
        "PORT",
        "LOG_LEVEL",
    ]
