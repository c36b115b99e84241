"""Ends streaming responses on SIGTERM. uvicorn waits for open responses, so an endless stream would delay shutdown
until the grace period expires."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

_listeners: list[Callable[[], None]] = []


@contextmanager
def on_shutdown(listener: Callable[[], None]) -> Iterator[None]:
    """Call `listener` when shutdown begins while the block runs."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


class DrainingServer(uvicorn.Server):
    """Notifies the listeners before it waits for open responses."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in _listeners:
            listener()
        await super().shutdown(sockets)
