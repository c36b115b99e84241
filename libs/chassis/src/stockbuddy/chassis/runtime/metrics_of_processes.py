"""Joins the metrics of two processes of one system on one page, since Prometheus reads only one of them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypedDict

import structlog
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

log = structlog.get_logger(__name__)

PREFIX = "stockbuddy_"
"""Of our own metrics. Those of the interpreter and the process are not joined: their sum means nothing."""


class Family(TypedDict):
    """One metric with its samples: name, labels and value of each."""

    name: str
    documentation: str
    kind: str
    samples: list[tuple[str, Mapping[str, str], float]]


Fetch = Callable[[], Awaitable[Sequence[Family]]]
_other: list[Fetch] = []


def add_process(fetch: Fetch) -> None:
    """Join the metrics of another process from now on; `fetch` returns what its `export_metrics` returned."""
    _other.append(fetch)


def export_metrics() -> list[Family]:
    """This process's metrics, as JSON can contain them."""
    return [
        Family(
            name=metric.name,
            documentation=metric.documentation,
            kind=metric.type,
            samples=[(sample.name, sample.labels, sample.value) for sample in metric.samples],
        )
        for metric in REGISTRY.collect()
        if metric.name.startswith(PREFIX)
    ]


async def joined_registry() -> CollectorRegistry:
    """The registry of this process, with the sums of all processes. Without one that does not answer."""
    if not _other:
        return REGISTRY
    metrics = {metric.name: metric for metric in REGISTRY.collect()}
    for fetch in _other:
        try:
            _add(metrics, await fetch())
        except Exception as error:
            log.warning("metrics.process_unavailable", error=repr(error))
    joined = CollectorRegistry()
    joined.register(_Collected(metrics.values()))
    return joined


class _Collected(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _add(metrics: dict[str, Metric], families: Sequence[Family]) -> None:
    for family in families:
        own = metrics.get(family["name"])
        if own is not None and not family["samples"]:
            continue  # with its exemplars, which sums do not have
        metric = Metric(family["name"], family["documentation"], family["kind"])
        values = {(one.name, tuple(one.labels.items())): one.value for one in own.samples} if own else {}
        for name, labels, value in family["samples"]:
            key = (name, tuple(labels.items()))
            if name.endswith("_created"):  # a time, not a number of something
                values.setdefault(key, value)
            else:
                values[key] = values.get(key, 0) + value
        for (name, label_items), value in values.items():
            metric.add_sample(name, dict(label_items), value)
        metrics[family["name"]] = metric
