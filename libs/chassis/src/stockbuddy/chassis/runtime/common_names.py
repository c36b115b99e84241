"""Names of settings that other systems use: `DB_HOST`, `API_PORT`, `DEBUG` and the like, understood where our own
setting is absent."""

import os
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

MAX_PORT = 65_535
DATABASE_NAMES = ("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD")
NAMES = (*DATABASE_NAMES, "API_HOST", "API_PORT", "DEBUG")
TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


class CommonNames(BaseSettings):
    """Settings that are read from the common names, too. `is_public`: these of the public API's server, to which
    `API_HOST` and `API_PORT` apply."""

    is_public: ClassVar[bool] = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, file_secret_settings, _CommonNamesSource(settings_cls)

    def describe_common_names(self) -> list[str]:
        """How the common names that are set were interpreted: one line for each of our settings."""
        given, lines = _given(os.environ), []
        for name, (value, variables) in _interpreted(given, is_public=self.is_public).items():
            if name not in type(self).model_fields:
                continue
            read_as = f"read as {name.upper()}={_without_password(value, given)}"
            is_used = str(getattr(self, name)) == value
            lines.append(f"{', '.join(variables)}: {read_as if is_used else f'ignored, because {name.upper()} is set'}")
        return lines


def split_by_commas(value: object) -> object:
    """The parts of a text without spaces around them and without empty ones; any other value as it is."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def check_common_names() -> list[str]:
    """One line for each invalid value."""
    given = _given(os.environ)
    lines = []
    for name in ("DB_PORT", "API_PORT"):
        port = given.get(name, "1")
        if not (port.isascii() and port.isdecimal() and 0 < int(port) <= MAX_PORT):
            lines.append(f"{name}: a port from 1 to {MAX_PORT} is required")
    if given.get("DEBUG", "true").lower() not in TRUE + FALSE:
        lines.append("DEBUG: true or false is required")
    return lines


class _CommonNamesSource(PydanticBaseSettingsSource):
    """The last source: any other one takes precedence."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError  # `__call__` reads several variables for one field

    def __call__(self) -> dict[str, Any]:
        is_public = getattr(self.settings_cls, "is_public", False)
        interpreted = _interpreted(_given(os.environ), is_public=is_public)
        return {name: value for name, (value, _) in interpreted.items() if name in self.settings_cls.model_fields}


def _given(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name in NAMES if (value := environment.get(name, "").strip())}


def _interpreted(given: Mapping[str, str], *, is_public: bool) -> dict[str, tuple[str, list[str]]]:
    """Setting → its value and the variables that it is read from."""
    found: dict[str, tuple[str, list[str]]] = {}
    if database := [name for name in DATABASE_NAMES if name in given]:
        found["database_url"] = (_database_url(given), database)
    if is_public:
        for variable, name in (("API_HOST", "host"), ("API_PORT", "port")):
            if variable in given:
                found[name] = (given[variable], [variable])
    if given.get("DEBUG", "").lower() in TRUE:
        found["log_level"] = ("debug", ["DEBUG"])
    return found


def _database_url(given: Mapping[str, str]) -> str:
    user, password = quote(given.get("DB_USER", "postgres"), safe=""), quote(given.get("DB_PASSWORD", ""), safe="")
    host = given.get("DB_HOST", "127.0.0.1")
    host = f"[{host}]" if ":" in host else quote(host, safe="")
    name = quote(given.get("DB_NAME", "postgres"), safe="")
    return f"postgresql://{user}{password and f':{password}'}@{host}:{given.get('DB_PORT', '5432')}/{name}"


def _without_password(value: str, given: Mapping[str, str]) -> str:
    password = quote(given.get("DB_PASSWORD", ""), safe="")
    return value.replace(f":{password}@", ":…@") if password else value
