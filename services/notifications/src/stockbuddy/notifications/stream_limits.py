"""Limits of streams: how many a caller may have open, and that each ends when its client disconnects, even while there
is nothing to send."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.notifications.errors import TooManyStreams


class StreamSlots:
    """The open streams of this process, by credential: a user or a single API key."""

    def __init__(self, max_per_caller: int) -> None:
        self._max_per_caller = max_per_caller
        self._open: Counter[str] = Counter()

    @contextmanager
    def take(self, caller: Principal) -> Iterator[None]:
        """Count a stream of `caller` while the block runs. Raises TooManyStreams."""
        if self._open[caller.credential] >= self._max_per_caller:
            raise TooManyStreams()
        self._open[caller.credential] += 1
        try:
            yield
        finally:
            self._open[caller.credential] -= 1
            if not self._open[caller.credential]:
                del self._open[caller.credential]


async def run_until_disconnect(send: Coroutine[Any, Any, None], disconnect: Coroutine[Any, Any, None]) -> None:
    """Run `send` until it returns or `disconnect` does. Raises what `send` raises."""
    sending, disconnecting = asyncio.create_task(send), asyncio.create_task(disconnect)
    try:
        await asyncio.wait((sending, disconnecting), return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    finally:
        for task in (sending, disconnecting):
            task.cancel()
        await asyncio.gather(sending, disconnecting, return_exceptions=True)
