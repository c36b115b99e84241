"""Whether a Docker engine answers on this machine, asked once."""

from __future__ import annotations

import functools

from docker.errors import DockerException
from testcontainers.core.docker_client import DockerClient


@functools.cache
def docker_answers() -> bool:
    try:
        return bool(DockerClient(timeout=3).client.ping())
    except DockerException:
        return False
