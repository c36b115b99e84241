"""The compose file: all services and settings, secrets mounted only where needed, one published port.

These are static checks; running it requires a Docker engine.
"""

from collections.abc import Mapping
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from stockbuddy.chassis.postgres.connections import ACQUIRE_TIMEOUT_SECONDS
from stockbuddy.embedded.backup.settings import BackupSettings

Programs = Mapping[str, type[BaseSettings]]

SERVICES = ("auth", "catalog", "stock", "notifications")
BACKUP = ("backup", "restore", "restore-secrets")
# Read from files (SECRETS_DIRECTORY) or set in the image; the gateway has no database.
ELSEWHERE = {
    "DATABASE_URL",
    "DATABASE_READ_URL",
    "BUS_URL",
    "SECRET_KEY",
    "GATEWAY_SECRET",
    "DATABASE_ROLE",
    "HOST",
    "PORT",
    "CONSOLE_DIRECTORY",
}
# Read by OpenTelemetry's SDK.
TRACING = {
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
}
UNUSED_BY_GATEWAY = {"DATABASE_POOL_SIZE", "DATABASE_POOLER", "DATABASE_POOLER_STATEMENTS", "JWKS_URL"}


@pytest.fixture(scope="module")
def compose(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((root / "docker-compose.yml").read_text())
    return document


@pytest.fixture(scope="module")
def parts(compose: dict[str, Any]) -> dict[str, Any]:
    services: dict[str, Any] = compose["services"]
    return services


def test_compose_file_has_every_service_and_job(parts: dict[str, Any]) -> None:
    migrations = {f"migrate-{service}" for service in SERVICES}
    servers = {"postgres", "pgbouncer", "rabbitmq", "valkey"}
    assert set(parts) == {"secrets", "roles", "gateway", *servers, *SERVICES, *migrations, *BACKUP}
    optional = {name for name, part in parts.items() if "profiles" in part}
    assert optional == {"pgbouncer", "valkey", *BACKUP}, "started only when wanted"


def test_every_setting_is_passed_to_its_container(parts: dict[str, Any], programs: Programs) -> None:
    for program, settings in programs.items():
        expected = {name.upper() for name in settings.model_fields} - ELSEWHERE
        if program == "gateway":
            expected -= UNUSED_BY_GATEWAY
        passed_on = set(parts[program]["environment"]) - {"SECRETS_DIRECTORY"}
        assert passed_on == expected | TRACING, program


def test_every_container_uses_the_image_of_its_program(parts: dict[str, Any], programs: Programs) -> None:
    for program in programs:
        assert parts[program]["image"] == f"stockbuddy/{program}"
        assert parts[program]["build"]["args"]["SERVICE"] == program
    for service in SERVICES:
        assert parts[f"migrate-{service}"]["image"] == parts[service]["image"]


def test_only_the_gateway_publishes_a_port_and_only_on_the_loopback_address(parts: dict[str, Any]) -> None:
    published = {name: part["ports"] for name, part in parts.items() if "ports" in part}
    assert list(published) == ["gateway"]
    assert all(port.startswith("127.0.0.1:") for port in published["gateway"])


def test_services_can_be_scaled(parts: dict[str, Any]) -> None:
    for service in SERVICES:
        assert not {"container_name", "hostname", "ports"} & set(parts[service])


def test_each_secret_is_mounted_only_by_its_readers(parts: dict[str, Any]) -> None:
    readers: dict[str, set[str]] = {}
    for name, part in parts.items():
        for volume in part.get("volumes", []):
            source, target, *mode = volume.split(":")
            if source.endswith("-secrets") and name != "secrets":
                readers.setdefault(source, set()).add(name)
                assert target == "/run/secrets"
                assert mode == ([] if name == "restore-secrets" else ["ro"])
    assert readers == {
        "administration-secrets": {"postgres", "roles", "restore-secrets"},
        "backup-secrets": {"backup", "restore"},
        "rabbitmq-secrets": {"rabbitmq"},
        "pgbouncer-secrets": {"pgbouncer"},
        "gateway-secrets": {"gateway"},
        **{f"{service}-secrets": {service} for service in SERVICES},
        **{f"{service}-owner-secrets": {f"migrate-{service}"} for service in SERVICES},
    }


def test_containers_are_read_only_and_without_capabilities(parts: dict[str, Any], programs: Programs) -> None:
    for name in [*programs, *(f"migrate-{service}" for service in SERVICES)]:
        assert parts[name]["read_only"] is True
        assert parts[name]["cap_drop"] == ["ALL"]
        assert "user" not in parts[name], "the image sets an unprivileged user"


def test_every_container_has_limits_and_gains_no_privileges(parts: dict[str, Any]) -> None:
    for name, part in parts.items():
        assert part["mem_limit"], name
        assert 0 < part["pids_limit"] <= 600, name
        assert part["security_opt"] == ["no-new-privileges:true"], name
    assert {name for name, part in parts.items() if not part.get("read_only")} == {"rabbitmq"}


def test_backup_has_the_settings_of_backups_and_changes_no_data(parts: dict[str, Any]) -> None:
    given_to_the_restore = set(parts["restore"]["environment"])
    for name in BACKUP:
        assert parts[name]["image"] == "stockbuddy/embedded"
        assert set(parts[name]["environment"]) - {"TMPDIR"} >= given_to_the_restore
        assert set(parts[name]["environment"]) - {"TMPDIR"} <= {
            str(field.validation_alias or field_name).upper()
            for field_name, field in BackupSettings.model_fields.items()
        }
    unset = {"DATABASE_URL"}  # a file in /run/secrets
    assert (
        set(parts["backup"]["environment"])
        >= {name.upper() for name in BackupSettings.model_fields if name != "data"} - unset
    )
    assert "catalog-data:/var/lib/stockbuddy:ro" in parts["backup"]["volumes"]


def test_services_wait_for_their_migrations_and_not_for_the_broker(parts: dict[str, Any]) -> None:
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


def test_mounted_files_exist(root: Path, parts: dict[str, Any]) -> None:
    for part in parts.values():
        for volume in part.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith("./") or (root / source).exists(), source


def test_cache_server_keeps_nothing_on_a_disk_and_is_reached_by_the_services_only(parts: dict[str, Any]) -> None:
    valkey = parts["valkey"]
    assert "volumes" not in valkey
    assert valkey["networks"] == ["back"]
    assert {"--maxmemory", "allkeys-lru"} <= set(valkey["command"])


def test_pgbouncer_is_in_transaction_mode_and_reached_by_the_services_only(root: Path, parts: dict[str, Any]) -> None:
    assert parts["pgbouncer"]["networks"] == ["back"]
    configuration = ConfigParser(interpolation=None)
    configuration.read((root / parts["pgbouncer"]["build"]["dockerfile"]).with_name("pgbouncer.ini"))
    assert configuration["pgbouncer"]["pool_mode"] == "transaction"
    assert int(configuration["pgbouncer"]["query_wait_timeout"]) == ACQUIRE_TIMEOUT_SECONDS
    assert "host=postgres " in configuration["databases"]["*"]
    for service in SERVICES:
        assert {"DATABASE_POOLER", "DATABASE_POOLER_STATEMENTS"} <= set(parts[service]["environment"])
    for service in ("catalog", "stock", "notifications"):
        assert "DATABASE_READ_POOLER" in parts[service]["environment"]
