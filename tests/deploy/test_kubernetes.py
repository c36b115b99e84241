"""The Kubernetes manifests: valid by Kubernetes' schemas with every overlay; references resolve, settings exist,
containers are restricted."""

import configparser
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from bench.sizing import INSTALLATIONS, rows
from stockbuddy.contracts.topology import CONSUMER_GROUPS, owner

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
        assert {"runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001}.items() <= spec["securityContext"].items(), (
            "secret files are readable for their group only"
        )
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert all(volume.get("emptyDir", {"sizeLimit": ""}).keys() == {"sizeLimit"} for volume in spec["volumes"])
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert container["image"] == f"stockbuddy/{program}"
            assert container["resources"]["limits"].keys() == {"memory", "ephemeral-storage"}
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
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
    names = {line.partition("=")[0] for line in shared}
    assert {name for name in names if not name.startswith("OTEL_")} <= existing
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


def test_kustomization_pins_the_version_or_digest_of_every_image(kustomization: Manifest, programs: Programs) -> None:
    assert {image["name"] for image in kustomization["images"]} == {f"stockbuddy/{program}" for program in programs}
    for image in kustomization["images"]:
        pinned = str(image.get("digest") or image.get("newTag"))
        assert re.fullmatch(r"sha256:[0-9a-f]{64}|\d+\.\d+\.\d+", pinned), f"{image['name']}: a version or a digest"


def selects(selector: Manifest, labels: Mapping[str, str]) -> bool:
    expressions = selector.get("matchExpressions", [])
    assert all(expression["operator"] == "In" for expression in expressions)
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(expression["key"]) in expression["values"] for expression in expressions
    )


def peers(manifests: dict[tuple[str, str], Manifest], program: str, direction: str) -> Iterator[Manifest]:
    """What the policies allow for the pods of a program. Every rule names its peers."""
    labels = pod(manifests, program)["metadata"]["labels"]
    side = {"ingress": "from", "egress": "to"}[direction]
    for (kind, _), manifest in manifests.items():
        if kind == "NetworkPolicy" and selects(manifest["spec"]["podSelector"], labels):
            for rule in manifest["spec"].get(direction, []):
                yield from rule[side]


def test_traffic_is_denied_by_default_in_both_directions(manifests: dict[tuple[str, str], Manifest]) -> None:
    assert manifests["NetworkPolicy", "default-deny"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }


def test_pods_accept_calls_only_from_pods_that_need_them(
    manifests: dict[tuple[str, str], Manifest], programs: Programs
) -> None:
    expected = {name: {"gateway"} for name in SERVICES}
    expected["auth"] = {"gateway", "catalog", "stock", "notifications"}
    expected["gateway"] = set()
    for called in programs:
        selectors = [p["podSelector"] for p in peers(manifests, called, "ingress") if "namespaceSelector" not in p]
        callers = {p for p in programs if any(selects(s, pod(manifests, p)["metadata"]["labels"]) for s in selectors)}
        assert callers == expected[called], called
    namespaces = [p["namespaceSelector"]["matchLabels"] for p in peers(manifests, "gateway", "ingress")]
    assert [set(labels.values()) for labels in namespaces] == [{"ingress-nginx"}, {"monitoring"}]


def test_only_programs_with_outside_servers_reach_public_addresses(
    manifests: dict[tuple[str, str], Manifest], programs: Programs
) -> None:
    outside = {p: [peer["ipBlock"] for peer in peers(manifests, p, "egress") if "ipBlock" in peer] for p in programs}
    assert {program for program, blocks in outside.items() if blocks} == {"auth", "catalog", "notifications"}
    private = [ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7")]
    for block in (block for blocks in outside.values() for block in blocks):
        excluded = {ip_network(network) for network in block.get("except", [])}
        allowed = ip_network(block["cidr"])
        assert {network for network in private if allowed.overlaps(network)} <= excluded


def test_trusted_proxies_are_no_network_of_a_whole_cluster(folder: Path) -> None:
    [line] = [line for line in (folder / "settings.env").read_text().splitlines() if line.startswith("TRUSTED_PROXIES")]
    networks = [ip_network(part) for part in line.partition("=")[2].split(",") if part]
    assert all(network.prefixlen >= 24 for network in networks)


KUBERNETES_VERSION = "1.37"
OPERATORS = ("keda.sh", "postgresql.cnpg.io", "rabbitmq.com")
OVERLAYS = ("base", "small", "medium", "large")
RESERVED_CONNECTIONS = 20
"""For superusers (3), replication, backups, monitoring and the operator."""
MILLISECONDS_OF_A_SALE = {"stock": 1.64, "gateway": 0.22}
"""Of one core, for three lines (bench/RESULTS.md)."""
TARGET_UTILIZATION = 0.7
BYTES = {"Mi": 2**20, "Gi": 2**30}


def is_of_an_operator(manifest: Manifest) -> bool:
    return manifest["apiVersion"].partition("/")[0] in OPERATORS


def merged(old: Any, patch: Any) -> Any:
    """A strategic merge of maps, all that the patches of the overlays have."""
    assert not isinstance(patch, list)
    if isinstance(old, dict) and isinstance(patch, dict):
        return {**old, **{key: merged(old.get(key), value) for key, value in patch.items()}}
    return patch


def patch(manifests: dict[tuple[str, str], Manifest], kustomization: Manifest) -> None:
    for item in kustomization.get("patches", []):
        change = yaml.safe_load(item["patch"])
        key = (change["kind"], change["metadata"]["name"])
        assert manifests[key]["apiVersion"] == change["apiVersion"]
        if change.pop("$patch", None) == "delete":
            del manifests[key]
        else:
            manifests[key] = merged(manifests[key], change)


@pytest.fixture
def overlay(request: pytest.FixtureRequest, folder: Path, manifests: dict[tuple[str, str], Manifest]) -> Any:
    """The manifests of an overlay, as kustomize builds them: resources, components, patches."""
    if request.param == "base":
        return manifests
    path = folder / "overlays" / request.param
    kustomization = yaml.safe_load((path / "kustomization.yaml").read_text())
    assert kustomization["resources"] == ["../.."]
    built = dict(manifests)
    for name in kustomization.get("components", []):
        add_component(built, path / name)
    patch(built, kustomization)
    return built


def add_component(built: dict[tuple[str, str], Manifest], path: Path) -> None:
    component = yaml.safe_load((path / "kustomization.yaml").read_text())
    for file in component["resources"]:
        for manifest in yaml.safe_load_all((path / file).read_text()):
            built[manifest["kind"], manifest["metadata"]["name"]] = manifest
    patch(built, component)


def replicas(built: dict[tuple[str, str], Manifest], program: str) -> tuple[int, int]:
    """Smallest and largest number. A deployment has one scaler."""
    scalers = [key for key in built if key[1] == program and key[0] in ("HorizontalPodAutoscaler", "ScaledObject")]
    [(kind, name)] = scalers
    spec = built[kind, name]["spec"]
    assert spec["scaleTargetRef"]["name"] == program
    if kind == "ScaledObject":
        return spec["minReplicaCount"], spec["maxReplicaCount"]
    return spec["minReplicas"], spec["maxReplicas"]


def amount(quantity: str) -> float:
    """Cores, or bytes."""
    for unit, factor in BYTES.items():
        if quantity.endswith(unit):
            return float(quantity.removesuffix(unit)) * factor
    return float(quantity.removesuffix("m")) / 1000 if quantity.endswith("m") else float(quantity)


@pytest.mark.parametrize("overlay", OVERLAYS, indirect=True)
def test_overlay_is_valid(overlay: dict[tuple[str, str], Manifest]) -> None:
    for manifest in overlay.values():
        if not is_of_an_operator(manifest):
            kubernetes_validate.validate(manifest, KUBERNETES_VERSION, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS, indirect=True)
def test_overlay_can_drain_nodes_and_spreads_its_replicas(
    overlay: dict[tuple[str, str], Manifest], programs: Programs
) -> None:
    for program in programs:
        fewest, most = replicas(overlay, program)
        assert 1 <= overlay["PodDisruptionBudget", program]["spec"]["minAvailable"] < fewest <= most
        [spread] = pod(overlay, program)["spec"]["topologySpreadConstraints"]
        assert spread["topologyKey"] == "kubernetes.io/hostname"


@pytest.mark.parametrize("overlay", OVERLAYS, indirect=True)
def test_quota_admits_all_replicas_during_an_upgrade_and_little_more(
    overlay: dict[tuple[str, str], Manifest], folder: Path, programs: Programs
) -> None:
    needed = dict.fromkeys(("pods", "requests.cpu", "requests.memory", "limits.memory"), 0.0)

    def add(count: int, resources: Manifest) -> None:
        needed["pods"] += count
        needed["requests.cpu"] += count * amount(resources["requests"]["cpu"])
        needed["requests.memory"] += count * amount(resources["requests"]["memory"])
        needed["limits.memory"] += count * amount(resources["limits"]["memory"])

    for program in programs:
        spec = overlay["Deployment", program]["spec"]
        assert spec["strategy"]["rollingUpdate"]["maxSurge"] == 1
        add(replicas(overlay, program)[1] + 1, pod(overlay, program)["spec"]["containers"][0]["resources"])
    for file, count in (("postgres.yaml", "instances"), ("rabbitmq.yaml", "replicas")):
        server = yaml.safe_load((folder / "servers" / file).read_text())["spec"]
        add(server[count], server["resources"])
    if ("Deployment", "pgbouncer") in overlay:
        spec = overlay["Deployment", "pgbouncer"]["spec"]
        assert spec["strategy"]["rollingUpdate"]["maxSurge"] == 1
        add(spec["replicas"] + 1, pod(overlay, "pgbouncer")["spec"]["containers"][0]["resources"])
    if ("Deployment", "valkey") in overlay:
        spec = overlay["Deployment", "valkey"]["spec"]
        assert spec["strategy"] == {"type": "Recreate"}
        add(spec["replicas"], pod(overlay, "valkey")["spec"]["containers"][0]["resources"])
    quota = {name: amount(value) for name, value in overlay["ResourceQuota", "stockbuddy"]["spec"]["hard"].items()}
    assert quota.keys() == needed.keys()
    for name, value in needed.items():
        assert value <= quota[name] <= 1.5 * value, f"{name}: {value} needed"


def connections_of(count: Mapping[str, int], programs: Programs) -> int:
    """The most that replicas of the services open (docs/scaling.md#connections)."""
    pool = {name: 2 * programs[name].model_fields["database_pool_size"].default for name in count}
    reads = count["catalog"] * programs["catalog"].model_fields["read_pool_size"].default
    return int(sum(count[name] * pool[name] for name in count) + reads)


@pytest.mark.parametrize("overlay", OVERLAYS, indirect=True)
def test_postgresql_accepts_the_connections_of_all_replicas_during_an_upgrade(
    overlay: dict[tuple[str, str], Manifest], folder: Path, root: Path, programs: Programs
) -> None:
    server = yaml.safe_load((folder / "servers/postgres.yaml").read_text())["spec"]["postgresql"]["parameters"]
    available = int(server["max_connections"]) - RESERVED_CONNECTIONS
    clients = connections_of({name: replicas(overlay, name)[1] + 1 for name in SERVICES}, programs)
    if ("Deployment", "pgbouncer") not in overlay:
        assert clients + len(SERVICES) <= available, "a migration of each service connects as well"
        return
    pooler = configparser.ConfigParser()
    pooler.read(root / "deploy/pgbouncer/pgbouncer.ini")
    sessions = len(SERVICES) * pooler.getint("pgbouncer", "default_pool_size")
    poolers = overlay["Deployment", "pgbouncer"]["spec"]["replicas"]
    assert (poolers + 1) * sessions + len(SERVICES) <= available
    fewest = overlay["PodDisruptionBudget", "pgbouncer"]["spec"]["minAvailable"]
    assert clients <= fewest * pooler.getint("pgbouncer", "max_client_conn"), "while a node is drained"
    assert clients > available, "PgBouncer costs throughput: only where it is needed"


@pytest.mark.parametrize(
    ("overlay", "installation", "sales"),
    [("small", 0, 100), ("medium", 1, 1000), ("large", 2, 4000)],
    indirect=["overlay"],
)
def test_overlay_has_the_processors_that_its_size_needs(
    overlay: dict[tuple[str, str], Manifest], installation: int, sales: int, root: Path
) -> None:
    def cores(program: str, count: int) -> float:
        return count * amount(pod(overlay, program)["spec"]["containers"][0]["resources"]["requests"]["cpu"])

    table = (root / "docs/operations.md").read_text()
    assert f"{sales:,} sales/s" in table
    most = {program: cores(program, replicas(overlay, program)[1]) for program in (*SERVICES, "gateway")}
    for program, milliseconds in MILLISECONDS_OF_A_SALE.items():
        assert sales * milliseconds / 1000 <= TARGET_UTILIZATION * most[program], program
    needed = rows(INSTALLATIONS[installation])
    assert sum(most.values()) >= float(needed["processors"])
    _, _, peak = needed["movements a second, average / peak"].partition(" / ")
    fewest = cores("stock", replicas(overlay, "stock")[0])
    assert float(peak) * MILLISECONDS_OF_A_SALE["stock"] / 1000 <= TARGET_UTILIZATION * fewest, "before it scales"


def test_small_database_holds_what_a_shop_writes_in_years(folder: Path) -> None:
    server = yaml.safe_load((folder / "servers/postgres.yaml").read_text())["spec"]
    needed = rows(INSTALLATIONS[0])["one PostgreSQL, cache / disk"].partition(" / ")[2]
    assert float(needed.removesuffix(" GB")) * 1e9 <= amount(server["storage"]["size"]) / 2


def test_public_url_is_required(folder: Path, monkeypatch: pytest.MonkeyPatch, programs: Programs) -> None:
    given = dict(
        line.split("=", 1) for line in (folder / "settings.env").read_text().splitlines() if line[:1] not in ("", "#")
    )
    assert given["PUBLIC_URL"] == ""
    for name, value in (given | {"ENV": "development"}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match="public_url"):
        programs["auth"]()
    monkeypatch.setenv("PUBLIC_URL", "https://stock.example.com")
    for program in programs.values():
        if "public_url" in program.model_fields:
            assert program().model_dump()["public_url"] == "https://stock.example.com"


@pytest.mark.parametrize("overlay", ["large"], indirect=True)
def test_consumers_scale_by_queues_of_their_own(overlay: dict[tuple[str, str], Manifest], folder: Path) -> None:
    for (kind, name), manifest in overlay.items():
        if kind != "ScaledObject":
            continue
        processor, *queues = manifest["spec"]["triggers"]
        assert (processor["type"], processor["metricType"]) == ("cpu", "Utilization")
        assert queues
        for trigger in queues:
            queue = trigger["metadata"]["queueName"]
            assert queue in CONSUMER_GROUPS
            assert owner(queue) == name
            [source] = overlay["TriggerAuthentication", trigger["authenticationRef"]["name"]]["spec"]["secretTargetRef"]
            assert source == {"parameter": "host", "name": name, "key": "bus_url"}
    rules = next(
        rule
        for rule in yaml.safe_load_all((folder / "servers/network.yaml").read_text())
        if rule["metadata"]["name"] == "rabbitmq"
    )["spec"]["ingress"]
    allowed = [peer for rule in rules for peer in rule["from"] if "namespaceSelector" in peer]
    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}} in allowed


@pytest.mark.parametrize("overlay", ["medium", "large"], indirect=True)
def test_cache_server_is_restricted_expendable_and_reached_by_its_clients_only(
    overlay: dict[tuple[str, str], Manifest], folder: Path, programs: Programs
) -> None:
    spec = pod(overlay, "valkey")["spec"]
    [container] = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert "volumes" not in spec
    assert container["securityContext"] == pod(overlay, "stock")["spec"]["containers"][0]["securityContext"]
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()
    assert amount("384Mi") < amount(container["resources"]["limits"]["memory"])
    assert overlay["PodDisruptionBudget", "valkey"]["spec"]["maxUnavailable"] == 1
    settings = yaml.safe_load((folder / "valkey/kustomization.yaml").read_text())["configMapGenerator"][0]
    assert (settings["name"], settings["behavior"]) == ("settings", "merge")
    urls = dict(literal.split("=") for literal in settings["literals"])
    users = {program for program, kind in programs.items() if {name.lower() for name in urls} & set(kind.model_fields)}
    selectors = [peer["podSelector"] for peer in peers(overlay, "valkey", "ingress")]
    callers = {p for p in programs if any(selects(s, pod(overlay, p)["metadata"]["labels"]) for s in selectors)}
    assert callers == users == {"stock", "gateway"}
    for caller in callers:
        assert {"matchLabels": {"app.kubernetes.io/name": "valkey"}} in [
            peer["podSelector"] for peer in peers(overlay, caller, "egress") if peer.keys() == {"podSelector"}
        ]
    for url in urls.values():
        assert url.startswith(f"redis://{overlay['Service', 'valkey']['metadata']['name']}:6379/")
    assert overlay["NetworkPolicy", "valkey"]["spec"]["policyTypes"] == ["Ingress", "Egress"]


@pytest.mark.parametrize("overlay", ["medium", "large"], indirect=True)
def test_pgbouncers_are_restricted_redundant_and_reached_by_the_services_only(
    overlay: dict[tuple[str, str], Manifest], folder: Path
) -> None:
    add_component(overlay, folder / "pgbouncer-read")
    for name, setting in (("pgbouncer", "DATABASE_POOLER"), ("pgbouncer-read", "DATABASE_READ_POOLER")):
        spec = pod(overlay, name)["spec"]
        assert spec["securityContext"] == pod(overlay, "stock")["spec"]["securityContext"]
        for container in spec["containers"]:
            assert container["securityContext"] == pod(overlay, "stock")["spec"]["containers"][0]["securityContext"]
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= spec["containers"][0].keys()
        budget = overlay["PodDisruptionBudget", name]["spec"]["minAvailable"]
        assert 1 <= budget < overlay["Deployment", name]["spec"]["replicas"]
        settings = yaml.safe_load((folder / name / "kustomization.yaml").read_text())["configMapGenerator"][0]
        service = overlay["Service", name]
        labels = pod(overlay, name)["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= labels.items()
        assert settings["literals"] == [f"{setting}={name}:{service['spec']['ports'][0]['port']}"]
        for service_name in SERVICES:
            selectors = [p["podSelector"] for p in peers(overlay, service_name, "egress") if "podSelector" in p]
            assert any(selects(selector, labels) for selector in selectors)
        callers = [peer["podSelector"] for peer in peers(overlay, name, "ingress") if "podSelector" in peer]
        assert not any(selects(selector, pod(overlay, "gateway")["metadata"]["labels"]) for selector in callers)
        assert all(
            any(selects(selector, pod(overlay, name)["metadata"]["labels"]) for selector in callers)
            for name in SERVICES
        )
        rules = next(
            rule
            for rule in yaml.safe_load_all((folder / "servers/network.yaml").read_text())
            if rule["metadata"]["name"] == "postgres"
        )["spec"]["ingress"]
        assert any(
            selects(peer["podSelector"], labels) for rule in rules for peer in rule["from"] if "podSelector" in peer
        )


@pytest.mark.parametrize("overlay", ["medium"], indirect=True)
def test_pgbouncers_have_their_files_and_servers(
    overlay: dict[tuple[str, str], Manifest], folder: Path, root: Path
) -> None:
    add_component(overlay, folder / "pgbouncer-read")
    dockerfile = (root / "deploy/pgbouncer/Dockerfile").read_text()
    for name, default in (("pgbouncer", dockerfile.rpartition("CMD ")[2]), ("pgbouncer-read", "")):
        container = pod(overlay, name)["spec"]["containers"][0]
        path = Path((container.get("args") or yaml.safe_load(default))[-1])
        assert f"deploy/pgbouncer/{path.name}" in dockerfile
        lines = (root / "deploy/pgbouncer" / path.name).read_text().splitlines()
        [server] = [line for line in lines if line.startswith("* = ")]
        assert overlay["Service", server.split()[2].removeprefix("host=")]["spec"]["type"] == "ExternalName"
        for line in lines:
            if line.startswith("%include"):
                assert line.split()[1] == str(path.with_name("pgbouncer.ini"))
