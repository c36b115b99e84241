"""Alerts and the dashboard use existing metrics and labels; alerts have a severity and a summary."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

# Imported because their metrics are registered on import.
import stockbuddy.gateway.auth_reports.denied_requests
import stockbuddy.gateway.request_metrics  # noqa: F401

GROUPING_LABELS = re.compile(r"\bby \(([^)]*)\)")
SELECTOR = re.compile(r"\b(stockbuddy_[a-z_]+)(?:\{([^}]*)\})?")


@pytest.fixture(scope="module")
def rules(root: Path) -> list[dict[str, Any]]:
    document = yaml.safe_load((root / "deploy/observability/alerts.yml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def expressions(root: Path, rules: list[dict[str, Any]]) -> list[str]:
    dashboard = json.loads((root / "deploy/observability/grafana/stockbuddy.json").read_text())
    return [rule["expr"] for rule in rules] + [t["expr"] for panel in dashboard["panels"] for t in panel["targets"]]


def labels_by_series() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for collector, series in REGISTRY._collector_to_names.items():
        if isinstance(collector, MetricWrapperBase):
            found |= {name: {*collector._labelnames, "le", "instance"} for name in series}
    return found


def test_expressions_use_existing_metrics_and_labels(expressions: list[str]) -> None:
    existing = labels_by_series()
    for expression in expressions:
        for name, selector in SELECTOR.findall(expression):
            assert name in existing, f"{name} in {expression}"
            used = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
            if "rabbitmq_" not in expression and "up{" not in expression:
                used |= {label.strip() for by in GROUPING_LABELS.findall(expression) for label in by.split(",")}
            assert used <= existing[name], f"{name} has no {used - existing[name]}"


def test_alerts_have_severity_and_summary(rules: list[dict[str, Any]]) -> None:
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]


def test_alerts_reach_a_receiver_to_fill_in(root: Path, rules: list[dict[str, Any]]) -> None:
    folder = root / "deploy/observability"
    prometheus, alertmanager, compose = [
        yaml.safe_load((folder / name).read_text())
        for name in ("prometheus.yml", "alertmanager.yml", "docker-compose.yml")
    ]
    (target,) = prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    assert target.partition(":")[0] in compose["services"]
    route = alertmanager["route"]
    assert {receiver["name"] for receiver in alertmanager["receivers"]} == {
        route["receiver"],
        *(child["receiver"] for child in route["routes"]),
    }
    assert 'severity = "critical"' in route["routes"][0]["matchers"]
    alerts = {rule["alert"] for rule in rules}
    inhibited = re.findall(r'alertname = "(\w+)"', (folder / "alertmanager.yml").read_text())
    assert set(inhibited) <= alerts


def test_alerts_named_in_operations_page_exist(root: Path, rules: list[dict[str, Any]]) -> None:
    named = re.findall(r"alert\s+`(\w+)`", (root / "docs/operations.md").read_text())
    assert set(named) <= {rule["alert"] for rule in rules}
