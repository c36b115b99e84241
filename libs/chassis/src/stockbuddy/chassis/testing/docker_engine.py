"""Whether a Docker engine on this machine can run an image, asked once for each."""

from __future__ import annotations

import functools
import gc
import warnings

from docker.errors import DockerException
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

LOOPBACK = "127.0.0.1"

# Our fixtures end their containers themselves; the reaper would be one more image that must be had.
testcontainers_config.ryuk_disabled = True


@functools.cache
def docker_runs(image: str) -> bool:
    """True when an engine answers and has the image, or can fetch it."""
    with warnings.catch_warnings():
        # A client that fails to connect leaves its socket to the garbage collector, which says so.
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
    """What the engine's API takes and testcontainers' own method does not: the address beside the port."""
    container.ports[f"{port}/tcp"] = (LOOPBACK, host_port)  # type: ignore[assignment]
