"""The manifests fit together: what a name points to exists, and every setting in them is one."""

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
    read: Manifest = yaml.safe_load((folder / "kustomization.yaml").read_text())
    return read


@pytest.fixture(scope="module")
def manifests(folder: Path, kustomization: Manifest) -> dict[tuple[str, str], Manifest]:
    """By kind and name."""
    found = [m for file in kustomization["resources"] for m in yaml.safe_load_all((folder / file).read_text())]
    return {(manifest["kind"], manifest["metadata"]["name"]): manifest for manifest in found}


def pod(manifests: dict[tuple[str, str], Manifest], program: str) -> Manifest:
    template: Manifest = manifests["Deployment", program]["spec"]["template"]
    return template


def test_every_program_is_deployed_scaled_reached_and_kept_up(
    manifests: dict[tuple[str, str], Manifest], programs: Programs
) -> None:
    for program in programs:
        scaler = manifests["HorizontalPodAutoscaler", program]["spec"]
        assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": program}
        budget = manifests["PodDisruptionBudget", program]["spec"]
        assert budget["minAvailable"] < scaler["minReplicas"], "a node can be emptied"
        labels = pod(manifests, program)["metadata"]["labels"]
        for selector in (
            manifests["Service", program]["spec"]["selector"],
            manifests["Deployment", program]["spec"]["selector"]["matchLabels"],
            budget["selector"]["matchLabels"],
        ):
            assert selector.items() <= labels.items()


def test_every_container_has_probes_limits_and_few_rights(
    manifests: dict[tuple[str, str], Manifest], programs: Programs
) -> None:
    for program in programs:
        spec = pod(manifests, program)["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert container["image"] == f"stockbuddy/{program}"
            assert container["resources"]["limits"]["memory"]
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
        [served] = spec["containers"]
        ports = {port["name"] for port in served["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert served[probe]["httpGet"]["port"] in ports
        assert served["livenessProbe"]["httpGet"]["path"] == "/health/live", (
            "a lost database is not healed by a restart"
        )


def test_pods_have_time_to_finish(manifests: dict[tuple[str, str], Manifest], programs: Programs) -> None:
    for program, settings in programs.items():
        spec = pod(manifests, program)["spec"]
        pause = int(spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
        assert spec["terminationGracePeriodSeconds"] > pause + settings.model_fields["shutdown_seconds"].default


def test_the_serving_container_never_sees_the_owners_secret(manifests: dict[tuple[str, str], Manifest]) -> None:
    for service in SERVICES:
        spec = pod(manifests, service)["spec"]
        secrets = {v["name"]: v["secret"]["secretName"] for v in spec["volumes"] if "secret" in v}
        assert sorted(secrets.values()) == [service, f"{service}-owner"]
        seen = {mount["name"] for mount in spec["containers"][0]["volumeMounts"]}
        assert {secrets[name] for name in seen & set(secrets)} == {service}


def test_every_setting_in_them_is_one(
    folder: Path, manifests: dict[tuple[str, str], Manifest], programs: Programs
) -> None:
    shared = [line for line in (folder / "settings.env").read_text().splitlines() if line and not line.startswith("#")]
    everywhere = {name.upper() for settings in programs.values() for name in settings.model_fields}
    assert {line.partition("=")[0] for line in shared} <= everywhere
    for program, settings in programs.items():
        spec = pod(manifests, program)["spec"]
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            names = {variable["name"] for variable in container["env"]} - {"SECRETS_DIRECTORY"}
            assert names <= {name.upper() for name in settings.model_fields}


def test_the_gateway_sees_every_pod_of_a_service(manifests: dict[tuple[str, str], Manifest]) -> None:
    for service in SERVICES:
        spec = manifests["Service", service]["spec"]
        assert spec["clusterIP"] == "None"
        assert spec["publishNotReadyAddresses"] is True


def test_every_image_is_named_in_one_place(kustomization: Manifest, programs: Programs) -> None:
    assert {image["name"] for image in kustomization["images"]} == {f"stockbuddy/{program}" for program in programs}
