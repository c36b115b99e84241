"""Detects whether a Docker engine can run an image; the result is cached per image."""

from __future__ import annotations

import functools
import gc
import warnings

from docker.errors import DockerException
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

LOOPBACK = "127.0.0.1"

# The fixtures stop their containers themselves; testcontainers' reaper would require another image.
testcontainers_config.ryuk_disabled = True


@functools.cache
def docker_runs(image: str) -> bool:
    """True if an engine answers and has the image or can pull it."""
    with warnings.catch_warnings():
        # A client that fails to connect leaves its socket to the garbage collector, which emits a ResourceWarning.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            client = DockerClient(timeout=120).client
            if not client.images.list(name=image):
                client.images.pull(image)
        except DockerException:
            return False
        finally:
            gc.collect()
        return True


def publish_on_loopback(container: DockerContainer, port: int, host_port: int) -> None:
    """Publish a port on 127.0.0.1 only: the engine's API accepts an address, testcontainers' own method does not."""
    container.ports[f"{port}/tcp"] = (LOOPBACK, host_port)  # type: ignore[assignment]
