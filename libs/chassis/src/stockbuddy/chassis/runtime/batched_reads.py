"""Reads of the database that concurrent requests share: one for all is cheaper than one for each (ADR 27)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class BatchedReads(Generic[Key, Value]):
    """A read for a call of `find` always begins after the call. If no read is running, one begins at once; calls during
    a read share the next one, which begins when it ends."""

    def __init__(self, read: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._read = read
        self._running: asyncio.Task[Mapping[Key, Value]] | None = None
        self._next: asyncio.Task[Mapping[Key, Value]] | None = None
        self._keys: dict[Key, None] = {}
        """The keys of the next read, without duplicates."""

    async def find(self, key: Key) -> Value | None:
        self._keys[key] = None
        if self._next is None:
            self._next = asyncio.create_task(self._read_after(self._running))
        # A caller that is cancelled does not cancel the read of the others.
        return (await asyncio.shield(self._next)).get(key)

    async def _read_after(self, running: asyncio.Task[Mapping[Key, Value]] | None) -> Mapping[Key, Value]:
        if running is not None:
            await asyncio.wait([running])
        self._running, self._next = self._next, None
        keys, self._keys = list(self._keys), {}
        return await self._read(keys)
