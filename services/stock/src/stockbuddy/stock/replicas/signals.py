"""Wakes those who wait for a product that another service has just made, the moment its copy is committed here."""

import asyncio

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession


class Arrivals:
    """One signal for the process: waking somebody in vain costs them one query."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def announce_after_commit(self, session: AsyncSession) -> None:
        event.listen(session.sync_session, "after_commit", lambda _: self.announce(), once=True)

    def announce(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Until something arrives, at most `seconds`."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait([future], timeout=seconds)
        finally:
            self._waiting.discard(future)


ARRIVALS = Arrivals()
