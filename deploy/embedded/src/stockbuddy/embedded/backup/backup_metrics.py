"""Prometheus metrics of scheduled backups, read from their directory at each scrape, so that they survive a restart."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import REGISTRY, start_http_server
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stockbuddy.embedded.backup.directory import created_at, list_backups

VERIFIED = "last-verified"
"""A file whose modification time is that of the last successful verification of a backup in its directory."""


class BackupMetrics(Collector):
    """`failures`: of this process."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.failures = 0

    def collect(self) -> Iterator[Metric]:
        newest = next(iter(list_backups(self._directory)), None)
        yield GaugeMetricFamily(
            "stockbuddy_backup_created_timestamp_seconds",
            "When the newest backup was made; 0 if there is none.",
            0 if newest is None else created_at(newest).timestamp(),
        )
        yield GaugeMetricFamily(
            "stockbuddy_backup_verified_timestamp_seconds",
            "When a backup was last restored and compared; 0 if none was.",
            _modified_at(self._directory / VERIFIED),
        )
        yield CounterMetricFamily(
            "stockbuddy_backup_failures", "Scheduled backups that failed in this process.", self.failures
        )

    @contextmanager
    def registered(self) -> Iterator[None]:
        """Part of the process's metrics during the block."""
        REGISTRY.register(self)
        try:
            yield
        finally:
            REGISTRY.unregister(self)


@contextmanager
def serving_metrics(host: str, port: int | None) -> Iterator[None]:
    """Serve `/metrics` during the block, for a process that has no server of its own; not if `port` is None."""
    if port is None:
        yield
        return
    server, thread = start_http_server(port, host)
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def record_verification(backup: Path) -> None:
    """To be called after a successful verification."""
    (backup.parent / VERIFIED).write_text(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {backup.name}\n")


def _modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0
