"""Password hashing: argon2id with OWASP's parameters, in few threads, so that a flood of logins delays only logins."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from prometheus_client import Counter
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from stockbuddy.auth.errors import HashingBusy
from stockbuddy.auth.crypto import make_secret

Result = TypeVar("Result")

MEMORY_KIBIBYTES = 19 * 1024
ITERATIONS = 2
LANES = 1

HASHED = Counter("stockbuddy_auth_hashing_total", "Pieces of work done in the hashing threads.")


class PasswordHasher:
    """Hashes and verifies beside the event loop (argon2 releases the interpreter's lock).
    Raises HashingBusy instead of letting the queue grow without end."""

    def __init__(self, *, threads: int, queue: int) -> None:
        argon2id = Argon2Hasher(time_cost=ITERATIONS, memory_cost=MEMORY_KIBIBYTES, parallelism=LANES)
        self._hash = PasswordHash([argon2id])
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="hashing")
        self._places = threads + queue
        self._taken = 0
        self._nobodys_hash = self._hash.hash(make_secret())

    async def hash(self, password: str) -> str:
        return await self.run(lambda: self._hash.hash(password))

    async def verify(self, password: str, password_hash: str | None) -> tuple[bool, str | None]:
        """Whether they belong together, and a newer hash when the stored one has outdated parameters.
        Without a hash it costs the same time and is false, so that unknown users can't be told by the clock."""
        known, newer = await self.run(
            lambda: self._hash.verify_and_update(password, password_hash or self._nobodys_hash)
        )
        return known and password_hash is not None, newer

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run work that would hold up the event loop in one of the hashing threads."""
        if self._taken >= self._places:
            raise HashingBusy()
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._taken -= 1
            HASHED.inc()

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)


def hasher_of(request: Request) -> PasswordHasher:
    hasher: PasswordHasher = request.app.state.hasher
    return hasher


Hasher = Annotated[PasswordHasher, Depends(hasher_of)]
