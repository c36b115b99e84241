"""The one table of settings names every setting of every program, with the default that it has."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from stockbuddy.embedded.settings import EmbeddedSettings

Programs = Mapping[str, type[BaseSettings]]
Settings = dict[tuple[str, str], tuple[type[BaseSettings], str]]
"""(program, variable) → class and field."""
Documented = dict[tuple[str, str], str]
"""(program, variable) → default."""

ROW = re.compile(r"^\| `(?P<name>[A-Z0-9_]+)` \| (?P<of>[^|]+) \| (?P<default>[^|]+) \|", re.MULTILINE)
UNSET = "\N{EN DASH}"
DEPENDS_ON_THE_MACHINE = {"HASHING_THREADS"}


@pytest.fixture(scope="module")
def documented(root: Path) -> Documented:
    """(program, setting) → its default as documented."""
    table: Documented = {}
    for row in ROW.finditer((root / "docs/operations.md").read_text()):
        for program in row["of"].replace("all", "auth, catalog, stock, notifications, gateway").split(","):
            assert (program.strip(), row["name"]) not in table, f"{row['name']} stands there twice"
            table[program.strip(), row["name"]] = row["default"].strip().strip("`")
    return table


@pytest.fixture(scope="module")
def settings(programs: Programs) -> Settings:
    """(program, setting) → its class and field."""
    every: Programs = {**programs, "embedded": EmbeddedSettings}
    return {
        (program, str(field.validation_alias or name).upper()): (its_settings, name)
        for program, its_settings in every.items()
        for name, field in its_settings.model_fields.items()
    }


def test_every_setting_is_documented_and_every_documented_setting_exists(
    documented: Documented, settings: Settings
) -> None:
    assert set(documented) == set(settings)


def test_documented_defaults_are_what_holds_when_nothing_is_set(
    documented: Documented,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A default that is set as it is documented must make no difference."""
    for (program, variable), default in documented.items():
        its_settings, field = settings[program, variable]
        if default == UNSET:
            assert not its_settings.model_fields[field].default, f"{program}: {variable} has a default"
        elif variable not in DEPENDS_ON_THE_MACHINE:
            with monkeypatch.context() as environment:
                environment.setenv("ENV", "development")
                environment.setenv("SECRET_KEY", "a-key-that-even-production-would-take")
                environment.setenv(variable, default)
                value = getattr(its_settings(), field)
            assert value == its_settings.model_fields[field].default, f"{program}: {variable} is not {default}"
