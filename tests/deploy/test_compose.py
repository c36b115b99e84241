"""The compose file names every part and every setting, gives secrets to those alone who need them, and opens one port.

Whether it works is tried with an engine; here is what can be seen without one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

Programs = Mapping[str, type[BaseSettings]]

SERVICES = ("auth", "catalog", "stock", "notifications")
# Come from files (SECRETS_DIRECTORY), are set in the image, or are of no use to the gateway, which keeps nothing.
ELSEWHERE = {"DATABASE_URL", "BUS_URL", "SECRET_KEY", "DATABASE_ROLE", "HOST", "PORT"}
NOT_THE_GATEWAYS = {"DATABASE_POOL_SIZE", "JWKS_URL"}


@pytest.fixture(scope="module")
def compose(root: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((root / "docker-compose.yml").read_text())
    return read


@pytest.fixture(scope="module")
def parts(compose: dict[str, Any]) -> dict[str, Any]:
    services: dict[str, Any] = compose["services"]
    return services


def test_every_part_is_there(parts: dict[str, Any]) -> None:
    migrations = {f"migrate-{service}" for service in SERVICES}
    assert set(parts) == {"secrets", "postgres", "rabbitmq", "roles", "gateway", *SERVICES, *migrations}


def test_every_setting_can_be_set(parts: dict[str, Any], programs: Programs) -> None:
    for program, settings in programs.items():
        wanted = {name.upper() for name in settings.model_fields} - ELSEWHERE
        if program == "gateway":
            wanted -= NOT_THE_GATEWAYS
        passed_on = set(parts[program]["environment"]) - {"SECRETS_DIRECTORY"}
        assert passed_on == wanted, program


def test_every_image_is_built_for_its_program(parts: dict[str, Any], programs: Programs) -> None:
    for program in programs:
        assert parts[program]["image"] == f"stockbuddy/{program}"
        assert parts[program]["build"]["args"]["SERVICE"] == program
    for service in SERVICES:
        assert parts[f"migrate-{service}"]["image"] == parts[service]["image"]


def test_only_the_gateway_is_reached_from_outside_and_only_from_this_machine(parts: dict[str, Any]) -> None:
    published = {name: part["ports"] for name, part in parts.items() if "ports" in part}
    assert list(published) == ["gateway"]
    assert all(port.startswith("127.0.0.1:") for port in published["gateway"])


def test_any_part_that_serves_can_be_scaled(parts: dict[str, Any]) -> None:
    for service in SERVICES:
        assert not {"container_name", "hostname", "ports"} & set(parts[service])


def test_each_secret_is_seen_by_those_alone_who_need_it(parts: dict[str, Any]) -> None:
    readers: dict[str, set[str]] = {}
    for name, part in parts.items():
        for volume in part.get("volumes", []):
            source, target, *mode = volume.split(":")
            if source.endswith("-secrets") and name != "secrets":
                readers.setdefault(source, set()).add(name)
                assert (target, mode) == ("/run/secrets", ["ro"])
    assert readers == {
        "administration-secrets": {"postgres", "roles"},
        "rabbitmq-secrets": {"rabbitmq"},
        **{f"{service}-secrets": {service} for service in SERVICES},
        **{f"{service}-owner-secrets": {f"migrate-{service}"} for service in SERVICES},
    }


def test_programs_run_with_no_more_rights_than_they_need(parts: dict[str, Any], programs: Programs) -> None:
    for name in [*programs, *(f"migrate-{service}" for service in SERVICES)]:
        assert parts[name]["read_only"] is True
        assert parts[name]["cap_drop"] == ["ALL"]
        assert "user" not in parts[name], "the image's user is nobody in particular"


def test_services_wait_for_their_tables_and_for_nothing_that_they_can_do_without(parts: dict[str, Any]) -> None:
    for service in SERVICES:
        assert parts[service]["depends_on"] == {
            f"migrate-{service}": {"condition": "service_completed_successfully"},
            "rabbitmq": {"condition": "service_started"},
        }
        assert parts[f"migrate-{service}"]["environment"]["DATABASE_ROLE"] == service


def test_volumes_and_networks_are_declared(compose: dict[str, Any], parts: dict[str, Any]) -> None:
    used = {volume.split(":")[0] for part in parts.values() for volume in part.get("volumes", [])}
    assert {name for name in used if not name.startswith("./")} == set(compose["volumes"])
    assert {network for part in parts.values() for network in part.get("networks", [])} == set(compose["networks"])
    assert compose["networks"]["back"]["internal"] is True


def test_files_that_are_mounted_are_there(root: Path, parts: dict[str, Any]) -> None:
    for part in parts.values():
        for volume in part.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith("./") or (root / source).exists(), source
