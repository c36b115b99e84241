"""Writes the rules of Prometheus as the resource of its operator: `python -m deploy.write_prometheus_rules`."""

from pathlib import Path

import yaml

FOLDER = Path(__file__).parent / "observability"
SOURCES = ("objectives.yml", "alerts.yml")
TARGET = FOLDER / "kubernetes/prometheus-rules.yaml"
HEADER = "# Generated from objectives.yml and alerts.yml by `python -m deploy.write_prometheus_rules`.\n"


class RulesDumper(yaml.SafeDumper):
    """Expressions keep their lines."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


RulesDumper.add_representer(str, _represent_text)


def prometheus_rules() -> str:
    groups = [group for name in SOURCES for group in yaml.safe_load((FOLDER / name).read_text())["groups"]]
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "stockbuddy"},
        "spec": {"groups": groups},
    }
    return HEADER + yaml.dump(resource, Dumper=RulesDumper, sort_keys=False, width=10_000, allow_unicode=True)


if __name__ == "__main__":
    TARGET.write_text(prometheus_rules())
