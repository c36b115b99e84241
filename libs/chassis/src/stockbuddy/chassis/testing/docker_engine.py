"""Whether a Docker engine answers on this machine, asked once."""

from __future__ import annotations

import functools
import gc
import warnings

from docker.errors import DockerException
from testcontainers.core.docker_client import DockerClient


@functools.cache
def docker_answers() -> bool:
    with warnings.catch_warnings():
        # A client that fails to connect leaves its socket to the garbage collector, which says so.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            return bool(DockerClient(timeout=3).client.ping())
        except DockerException:
            return False
        finally:
            gc.collect()
