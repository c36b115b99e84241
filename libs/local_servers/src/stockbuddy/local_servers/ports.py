"""Free TCP ports for servers that must come back on the same port after a restart."""

from __future__ import annotations

import random
import socket

# Below the range that systems hand out to outgoing connections: while a server is down, nobody may be given its port,
# least of all a client that keeps trying to reach it and would then be connected to itself.
_LOWEST, _HIGHEST = 20_000, 32_000


def free_port() -> int:
    while True:
        port = random.randint(_LOWEST, _HIGHEST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
