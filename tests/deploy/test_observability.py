"""Alerts and the dashboard ask for measures that exist, by labels that they have, and point to pages that exist."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

# Their measures are registered when they are imported.
import stockbuddy.gateway.auth_reports.denied_requests
import stockbuddy.gateway.request_metrics  # noqa: F401

FUNCTIONS_LABELS = re.compile(r"\bby \(([^)]*)\)")
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


def test_every_measure_exists_with_its_labels(expressions: list[str]) -> None:
    known = labels_by_series()
    for expression in expressions:
        for name, selector in SELECTOR.findall(expression):
            assert name in known, f"{name} in {expression}"
            wanted = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
            if "rabbitmq_" not in expression and "up{" not in expression:
                wanted |= {label.strip() for by in FUNCTIONS_LABELS.findall(expression) for label in by.split(",")}
            assert wanted <= known[name], f"{name} has no {wanted - known[name]}"


def test_alerts_that_need_a_person_send_them_to_a_page_that_exists(root: Path, rules: list[dict[str, Any]]) -> None:
    operations = (root / "docs/operations.md").read_text()
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
        for section in re.findall(r"See “([^”]+)”", rule["annotations"].get("description", "")):
            assert re.search(rf"^## (When )?{re.escape(section)}$", operations, re.MULTILINE), section
    for alert in re.findall(r"alert\s+`(\w+)`", operations):
        assert alert in {rule["alert"] for rule in rules}
