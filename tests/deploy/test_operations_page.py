"""The settings table of docs/operations.md lists every setting of every program with its default."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from stockbuddy.embedded.backup.settings import BackupSettings
from stockbuddy.embedded.settings import EmbeddedSettings

Programs = Mapping[str, type[BaseSettings]]
Settings = dict[tuple[str, str], tuple[type[BaseSettings], str]]
"""(program, variable) → class and field."""
Documented = dict[tuple[str, str], str]
"""(program, variable) → default."""

ROW = re.compile(r"^\| `(?P<name>[A-Z0-9_]+)` \| (?P<of>[^|]+) \| (?P<default>[^|]+) \|", re.MULTILINE)
UNSET = "\N{EN DASH}"
MACHINE_DEPENDENT = {"HASHING_THREADS"}


@pytest.fixture(scope="module")
def documented(root: Path) -> Documented:
    """(program, variable) → documented default."""
    table: Documented = {}
    for row in ROW.finditer((root / "docs/operations.md").read_text()):
        for program in row["of"].replace("all", "auth, catalog, stock, notifications, gateway").split(","):
            assert (program.strip(), row["name"]) not in table, f"{row['name']} is listed twice"
            table[program.strip(), row["name"]] = row["default"].strip().strip("`")
    return table


@pytest.fixture(scope="module")
def settings(programs: Programs) -> Settings:
    """(program, variable) → settings class and field."""
    all_programs: Programs = {**programs, "embedded": EmbeddedSettings, "backup": BackupSettings}
    return {
        (program, str(field.validation_alias or name).upper()): (settings_class, name)
        for program, settings_class in all_programs.items()
        for name, field in settings_class.model_fields.items()
    }


def test_documented_settings_are_the_existing_settings(documented: Documented, settings: Settings) -> None:
    assert set(documented) == set(settings)


def test_documented_defaults_equal_the_actual_defaults(
    documented: Documented,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Setting the documented default changes nothing."""
    for (program, variable), default in documented.items():
        settings_class, field = settings[program, variable]
        if default == UNSET:
            assert not settings_class.model_fields[field].default, f"{program}: {variable} has a default"
        elif variable not in MACHINE_DEPENDENT:
            with monkeypatch.context() as environment:
                environment.setenv("ENV", "development")
                environment.setenv("SECRET_KEY", "a-key-of-32-characters-that-production-accepts")
                environment.setenv("GATEWAY_SECRET", "a-secret-of-32-characters-that-production-accepts")
                environment.setenv(variable, default)
                value = getattr(settings_class(), field)
            assert value == settings_class.model_fields[field].default, f"{program}: {variable} is not {default}"
