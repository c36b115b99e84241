"""The RabbitMQ for tests: STOCKBUDDY_TEST_BUS_URL if set, else a container, else a private node."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol
from urllib.parse import urlsplit

from stockbuddy.chassis.testing.docker_engine import docker_runs
from stockbuddy.chassis.testing.rabbitmq_container import IMAGE, ContainedRabbitMQ
from stockbuddy.chassis.testing.server_folders import server_folder
from stockbuddy.local_servers.rabbitmq import LocalRabbitMQ
from stockbuddy.local_servers.virtual_hosts import VirtualHosts

MANAGEMENT_PORT = 15672


class PrivateRabbitMQ(Protocol):
    """A broker that a test may stop, kill and start again on the same port with the same data."""

    @property
    def url(self) -> str: ...

    @property
    def virtual_hosts(self) -> VirtualHosts: ...

    def start(self) -> None:
        """Return when clients can connect."""

    def stop(self) -> None:
        """Shut down cleanly."""

    def kill(self) -> None:
        """Send SIGKILL. RabbitMQ 3 loses a quorum queue declared less than a second before."""

    def lose_data(self) -> None:
        """Like `kill`, and delete its data: the next start is a first start."""

    def control(self, *arguments: str) -> None:
        """Run `rabbitmqctl` with these arguments."""

    def close(self) -> None:
        """Stop the broker and delete its data."""


@contextmanager
def rabbitmq_server() -> Iterator[VirtualHosts]:
    """The broker shared by all tests of a run."""
    if url := os.environ.get("STOCKBUDDY_TEST_BUS_URL"):
        yield VirtualHosts(url, os.environ.get("STOCKBUDDY_TEST_BUS_MANAGEMENT_URL") or _default_management_url(url))
    else:
        with private_rabbitmq_server() as broker:
            yield broker.virtual_hosts


@contextmanager
def private_rabbitmq_server() -> Iterator[PrivateRabbitMQ]:
    with server_folder() as folder:
        broker: PrivateRabbitMQ = ContainedRabbitMQ() if docker_runs(IMAGE) else LocalRabbitMQ(folder)
        try:
            broker.start()
            yield broker
        finally:
            broker.close()


def _default_management_url(bus_url: str) -> str:
    parts = urlsplit(bus_url)
    credentials = parts.netloc.rpartition("@")[0] or "guest:guest"
    return f"http://{credentials}@{parts.hostname}:{MANAGEMENT_PORT}"
