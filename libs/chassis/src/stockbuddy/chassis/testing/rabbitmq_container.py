"""A private RabbitMQ in a container, in a container."""

from __future__ import annotations

import time

from testcontainers.core.container import DockerContainer

from stockbuddy.chassis.testing.docker_engine import LOOPBACK, publish_on_loopback
from stockbuddy.local_servers.ports import free_port
from stockbuddy.local_servers.virtual_hosts import VirtualHosts

IMAGE = "rabbitmq:4-management"
START_TIMEOUT_SECONDS = 300.0  # the first start pulls the image
POLL_INTERVAL_SECONDS = 0.1


class ContainedRabbitMQ:
    """One container from `start` to `close`; `stop` and `kill` keep its data and ports."""

    def __init__(self) -> None:
        self._port, self._management_port = free_port(), free_port()
        self._container = DockerContainer(IMAGE, hostname="stockbuddy-test")
        publish_on_loopback(self._container, 5672, self._port)
        publish_on_loopback(self._container, 15672, self._management_port)
        self._container.with_env("RABBITMQ_DEFAULT_USER", "test").with_env("RABBITMQ_DEFAULT_PASS", "test")
        self._created = False

    @property
    def url(self) -> str:
        return f"amqp://test:test@{LOOPBACK}:{self._port}/"

    @property
    def virtual_hosts(self) -> VirtualHosts:
        return VirtualHosts(self.url, f"http://test:test@{LOOPBACK}:{self._management_port}")

    def start(self) -> None:
        if self._created:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._created = True
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self.virtual_hosts.is_ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"RabbitMQ did not start:\n{self._container.get_logs()}")
            time.sleep(POLL_INTERVAL_SECONDS)

    def stop(self) -> None:
        self._container.get_wrapped_container().stop(timeout=60)

    def kill(self) -> None:
        self._container.get_wrapped_container().kill(signal="SIGKILL")

    def lose_data(self) -> None:
        self.close()

    def control(self, *arguments: str) -> None:
        outcome = self._container.exec(["rabbitmqctl", *arguments])
        if outcome.exit_code != 0:
            raise RuntimeError(f"rabbitmqctl {' '.join(arguments)}: {outcome.output.decode(errors='replace')}")

    def close(self) -> None:
        if self._created:
            self._container.stop()
            self._created = False
