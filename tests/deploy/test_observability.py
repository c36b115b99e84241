"""Rules and dashboards use metrics, labels and event types that a running system has; promtool and amtool accept the
rules and the configuration, and the alerts fire as alerts_test.yml says."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from deploy.write_prometheus_rules import TARGET, prometheus_rules
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.pooler import Pooler
from stockbuddy.chassis.testing.clients import register, serving, until_ready
from stockbuddy.chassis.testing.pgbouncer import as_role, pooled_postgres_server
from stockbuddy.contracts.event import EVENTS
from stockbuddy.embedded.asgi_client import get
from stockbuddy.embedded.backup.backup_metrics import BackupMetrics
from stockbuddy.embedded.system import System
from stockbuddy.local_servers.postgres import LocalPostgres

GROUPING_LABELS = re.compile(r"\b(?:by|on) \(([^)]*)\)")
SELECTOR = re.compile(r"\b((?:stockbuddy|process)_[a-z_]+|gateway:[\w:]+)(?:\{([^}]*)\})?")
OF_PROMETHEUS = {"job", "instance", "service_name", "le"}
"""Added to every series, or a bucket's."""

TOOL_TIMEOUT_SECONDS = 300
POD_NAME = "app.kubernetes.io/name"

Labels = dict[str, set[str]]
"""Of a metric, by its name in expressions."""


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "deploy/observability"


@pytest.fixture(scope="module")
def rules(folder: Path) -> list[dict[str, Any]]:
    documents = [yaml.safe_load((folder / name).read_text()) for name in ("objectives.yml", "alerts.yml")]
    return [rule for document in documents for group in document["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def alerts(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for rule in rules if "alert" in rule]


@pytest.fixture(scope="module")
def dashboards(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("grafana/*.json"))]


@pytest.fixture(scope="module")
def expressions(rules: list[dict[str, Any]], dashboards: list[dict[str, Any]]) -> list[str]:
    return [rule["expr"] for rule in rules] + [
        target["expr"]
        for dashboard in dashboards
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    ]


def tool(name: str, *arguments: str | Path) -> None:
    """Run a program of Prometheus; fails with its output."""
    program = shutil.which(name)
    assert program is not None, f"{name} is not installed: run deploy/install-servers"
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, timeout=TOOL_TIMEOUT_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr


def labels_in(pages: list[str]) -> Labels:
    found: Labels = {}
    for family in (family for page in pages for family in text_string_to_metric_families(page)):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


async def metrics_of_a_system_in_use(database_url: str, tmp_path: Path) -> Labels:
    """Of every service and the gateway after a sale and a look at the dashboard, and of the schedule of backups."""
    system = System(database_url, env="development")
    async with system.running(), serving(system.gateway) as address, httpx.AsyncClient(base_url=address) as http:
        await until_ready(http)
        admin = await register(http, "ada", path="/auth/admin/register")
        product = {"sku": "MUG", "name": "Mug", "unit_price": "10.00", "quantity": 3}
        created = await admin.post("/products", product, key="product")
        await admin.until("/stock-levels", lambda page: page["total"] == 1, product_id=created["id"])
        await admin.post("/sales", {"product": "MUG", "quantity": 3}, key="sale")
        await admin.get("/dashboard/stats")
        page = (await http.get("/metrics")).text
        of_services = [(await get(service, "/metrics")).decode() for service in system.services.values()]
    with BackupMetrics(tmp_path).registered():
        of_backups = generate_latest().decode()
    return labels_in([page, *of_services, of_backups])


async def use_pgbouncer(root: Path) -> None:
    with pooled_postgres_server(["probe"], root / "deploy") as pooled:
        url, pooler = as_role(pooled.server.url, "probe"), Pooler(pooled.pgbouncer.address)
        database = Database(url, "probe", pooler=pooler)
        async with database.transaction() as session:
            await session.execute(text("SELECT 1"))
        await database.close()


async def test_expressions_use_metrics_and_labels_of_a_running_system(
    root: Path,
    private_postgres: LocalPostgres,
    tmp_path: Path,
    expressions: list[str],
    rules: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a read replica that is down: it is no standby; and with a database behind PgBouncer."""
    monkeypatch.setenv("DATABASE_READ_URL", private_postgres.url)
    await use_pgbouncer(root)
    existing = await metrics_of_a_system_in_use(private_postgres.url, tmp_path)
    recorded = {rule["record"] for rule in rules if "record" in rule}
    for expression in expressions:
        for name, selector in SELECTOR.findall(expression):
            if name in recorded:
                continue
            assert name in existing, f"{name} in {expression}"
            used = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
            if "rabbitmq_" not in expression and "up{" not in expression:
                used |= {label.strip() for by in GROUPING_LABELS.findall(expression) for label in by.split(",")}
            assert used <= existing[name] | OF_PROMETHEUS, f"{name} has no {used - existing[name]}"


def test_expressions_name_existing_event_types(expressions: list[str]) -> None:
    selected = {pattern for e in expressions for pattern in re.findall(r'events_published_total\{type=~?"([^"]+)"', e)}
    assert selected
    for pattern in selected:
        assert any(re.fullmatch(pattern, event_type) for event_type in EVENTS), pattern


def test_rules_and_configurations_are_valid(folder: Path) -> None:
    tool("promtool", "check", "rules", folder / "objectives.yml", folder / "alerts.yml")
    tool("promtool", "check", "config", "--syntax-only", folder / "prometheus.yml")
    tool("amtool", "check-config", folder / "alertmanager.yml")


def test_expressions_of_dashboards_are_valid(expressions: list[str], tmp_path: Path) -> None:
    """As rules: promtool checks no dashboards."""
    rules = [
        {"record": f"expression:{number}", "expr": expression.replace("$__rate_interval", "1m")}
        for number, expression in enumerate(expressions)
    ]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))
    tool("promtool", "check", "rules", file)


def test_alerts_fire_when_they_should(folder: Path) -> None:
    tool("promtool", "test", "rules", folder / "alerts_test.yml")


@pytest.mark.parametrize(("severity", "receiver"), [("critical", "on-call"), ("warning", "operators")])
def test_alerts_are_routed_by_severity(folder: Path, severity: str, receiver: str) -> None:
    configuration = f"--config.file={folder / 'alertmanager.yml'}"
    tool("amtool", "config", "routes", "test", configuration, f"--verify.receivers={receiver}", f"severity={severity}")


def test_alerts_have_severity_and_summary(alerts: list[dict[str, Any]]) -> None:
    for rule in alerts:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]


def test_compose_gives_prometheus_its_rules_and_an_alertmanager_with_receivers(
    folder: Path, alerts: list[dict[str, Any]]
) -> None:
    prometheus, alertmanager, compose = [
        yaml.safe_load((folder / name).read_text())
        for name in ("prometheus.yml", "alertmanager.yml", "docker-compose.yml")
    ]
    mounted = {volume.split(":")[1] for volume in compose["services"]["prometheus"]["volumes"]}
    assert set(prometheus["rule_files"]) <= mounted
    (target,) = prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    assert target.partition(":")[0] in compose["services"]
    receivers = {receiver.pop("name"): set(receiver) for receiver in alertmanager["receivers"]}
    assert receivers == {"operators": {"email_configs"}, "on-call": {"email_configs", "webhook_configs"}}
    inhibited = re.findall(r'alertname = "(\w+)"', (folder / "alertmanager.yml").read_text())
    assert set(inhibited) <= {rule["alert"] for rule in alerts}


def test_dashboards_have_names_of_their_own(dashboards: list[dict[str, Any]]) -> None:
    assert len({dashboard["uid"] for dashboard in dashboards}) == len(dashboards) == 3
    for dashboard in dashboards:
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(set(ids)) == len(ids)


def test_alerts_named_in_operations_page_exist(root: Path, alerts: list[dict[str, Any]]) -> None:
    named = re.findall(r"alert\s+`(\w+)`", (root / "docs/operations.md").read_text())
    assert set(named) <= {rule["alert"] for rule in alerts}


def test_rules_for_kubernetes_are_those_of_compose(rules: list[dict[str, Any]], tmp_path: Path) -> None:
    assert TARGET.read_text() == prometheus_rules(), "run `make contracts`"
    resource = yaml.safe_load(TARGET.read_text())
    assert (resource["apiVersion"], resource["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert [rule for group in resource["spec"]["groups"] for rule in group["rules"]] == rules
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump(resource["spec"]))
    tool("promtool", "check", "rules", file)


def test_monitors_scrape_ports_of_the_pods_with_the_labels_of_the_rules(root: Path, folder: Path) -> None:
    monitors = list(yaml.safe_load_all((folder / "kubernetes/pod-monitors.yaml").read_text()))
    scraped: dict[str, set[str]] = {}
    for monitor in monitors:
        assert (monitor["apiVersion"], monitor["kind"]) == ("monitoring.coreos.com/v1", "PodMonitor")
        selector = monitor["spec"]["selector"]
        [names] = [e["values"] for e in selector.get("matchExpressions", [])] or [[selector["matchLabels"][POD_NAME]]]
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            labels = {relabeling["targetLabel"]: relabeling for relabeling in endpoint["relabelings"]}
            scraped.setdefault(labels["job"]["replacement"], set()).update(names)
            for name in set(names) - {"rabbitmq"}:  # a pod of its operator
                deployment = next(yaml.safe_load_all((root / f"deploy/kubernetes/{name}.yaml").read_text()))
                [container] = deployment["spec"]["template"]["spec"]["containers"]
                assert endpoint["port"] in {port["name"] for port in container["ports"]}
                assert labels["service_name"]["sourceLabels"] == ["__meta_kubernetes_pod_label_app_kubernetes_io_name"]
    jobs = yaml.safe_load((folder / "prometheus.yml").read_text())["scrape_configs"]
    assert scraped.keys() == {job["job_name"] for job in jobs} - {"backup"}, "a cluster has backups of its own"
    assert scraped["services"] | scraped["gateway"] == {"auth", "catalog", "stock", "notifications", "gateway"}


def test_component_for_kubernetes_has_every_resource_and_dashboard(folder: Path) -> None:
    component = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert component["kind"] == "Component"
    present = {str(path.relative_to(folder)) for path in folder.glob("kubernetes/*.yaml")}
    assert set(component["resources"]) == present
    [dashboards] = component["configMapGenerator"]
    assert {folder / name for name in dashboards["files"]} == set(folder.glob("grafana/*.json"))
    assert dashboards["options"]["labels"] == {"grafana_dashboard": "1"}
