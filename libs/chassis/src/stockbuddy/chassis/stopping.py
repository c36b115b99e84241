"""Lets answers without end (streams) end when the process is told to stop.

A server waits for the answers at work before it ends the applications behind it; one that goes on for ever would hold
up every stop until the server's patience is over.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

_listeners: list[Callable[[], None]] = []


@contextmanager
def told_to_stop(listener: Callable[[], None]) -> Iterator[None]:
    """While the block lasts, call `listener` when the process is told to stop."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


class PoliteServer(uvicorn.Server):
    """Tells the listeners before it waits for the answers at work."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in _listeners:
            listener()
        await super().shutdown(sockets)
