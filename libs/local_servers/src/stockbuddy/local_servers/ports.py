"""Free TCP ports for servers that must come back on the same port after a restart."""

from __future__ import annotations

import random
import socket

# Below the ephemeral port range: while a server is down, its port must not be assigned to an outgoing connection, for
# example of a client that retries and would then be connected to itself.
_MIN_PORT, _MAX_PORT = 20_000, 32_000


def free_port() -> int:
    while True:
        port = random.randint(_MIN_PORT, _MAX_PORT)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
