"""The Kubernetes manifests: references resolve, settings exist, containers are restricted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

Programs = Mapping[str, type[BaseSettings]]

Manifest = dict[str, Any]
SERVICES = ("auth", "catalog", "stock", "notifications")


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "deploy/kubernetes"


@pytest.fixture(scope="module")
def kustomization(folder: Path) -> Manifest:
    document: Manifest = yaml.safe_load((folder / "kustomization.yaml").read_text())
    return document


@pytest.fixture(scope="module")
def manifests(folder: Path, kustomization: Manifest) -> dict[tuple[str, str], Manifest]:
    """By kind and name."""
    found = [m for file in kustomization["resources"] for m in yaml.safe_load_all((folder / file).read_text())]
    return {(manifest["kind"], manifest["metadata"]["name"]): manifest for manifest in found}


def pod(manifests: dict[tuple[str, str], Manifest], program: str) -> Manifest:
    template: Manifest = manifests["Deployment", program]["spec"]["template"]
    return template


def test_every_program_has_deployment_service_autoscaler_and_disruption_budget(
    manifests: dict[tuple[str, str], Manifest], programs: Programs
) -> None:
    for program in programs:
        scaler = manifests["HorizontalPodAutoscaler", program]["spec"]
        assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": program}
        budget = manifests["PodDisruptionBudget", program]["spec"]
        assert budget["minAvailable"] < scaler["minReplicas"], "otherwise a node can not be drained"
        labels = pod(manifests, program)["metadata"]["labels"]
        for selector in (
            manifests["Service", program]["spec"]["selector"],
            manifests["Deployment", program]["spec"]["selector"]["matchLabels"],
            budget["selector"]["matchLabels"],
        ):
            assert selector.items() <= labels.items()


def test_every_container_has_probes_limits_and_a_restricted_security_context(
    manifests: dict[tuple[str, str], Manifest], programs: Programs
) -> None:
    for program in programs:
        spec = pod(manifests, program)["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert container["image"] == f"stockbuddy/{program}"
            assert container["resources"]["limits"]["memory"]
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
        [container] = spec["containers"]
        ports = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[probe]["httpGet"]["port"] in ports
        assert container["livenessProbe"]["httpGet"]["path"] == "/health/live", (
            "a restart does not fix an unavailable database"
        )


def test_termination_grace_period_exceeds_shutdown_time(
    manifests: dict[tuple[str, str], Manifest], programs: Programs
) -> None:
    for program, settings in programs.items():
        spec = pod(manifests, program)["spec"]
        delay = int(spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
        assert spec["terminationGracePeriodSeconds"] > delay + settings.model_fields["shutdown_seconds"].default


def test_owner_secret_is_mounted_by_the_migration_only(manifests: dict[tuple[str, str], Manifest]) -> None:
    for service in SERVICES:
        spec = pod(manifests, service)["spec"]
        secrets = {v["name"]: v["secret"]["secretName"] for v in spec["volumes"] if "secret" in v}
        assert sorted(secrets.values()) == [service, f"{service}-owner"]
        mounted = {mount["name"] for mount in spec["containers"][0]["volumeMounts"]}
        assert {secrets[name] for name in mounted & set(secrets)} == {service}


def test_every_setting_in_the_manifests_exists(
    folder: Path, manifests: dict[tuple[str, str], Manifest], programs: Programs
) -> None:
    shared = [line for line in (folder / "settings.env").read_text().splitlines() if line and not line.startswith("#")]
    existing = {name.upper() for settings in programs.values() for name in settings.model_fields}
    assert {line.partition("=")[0] for line in shared} <= existing
    for program, settings in programs.items():
        spec = pod(manifests, program)["spec"]
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            names = {variable["name"] for variable in container["env"]} - {"SECRETS_DIRECTORY"}
            assert names <= {name.upper() for name in settings.model_fields}


def test_services_are_headless_and_list_unready_pods(manifests: dict[tuple[str, str], Manifest]) -> None:
    for service in SERVICES:
        spec = manifests["Service", service]["spec"]
        assert spec["clusterIP"] == "None"
        assert spec["publishNotReadyAddresses"] is True


def test_kustomization_sets_the_tag_of_every_image(kustomization: Manifest, programs: Programs) -> None:
    assert {image["name"] for image in kustomization["images"]} == {f"stockbuddy/{program}" for program in programs}
