"""Password hashing: argon2id with OWASP's parameters, in few threads, so that a flood of logins delays only logins."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from prometheus_client import Counter
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from stockbuddy.auth.crypto import create_secret
from stockbuddy.auth.errors import HashingOverloaded

Result = TypeVar("Result")

MEMORY_KIBIBYTES = 19 * 1024
ITERATIONS = 2
LANES = 1

HASHED = Counter("stockbuddy_auth_hashing_total", "Tasks completed by the password hashing threads.")


class PasswordHasher:
    """Hashes and verifies in threads, which argon2 allows to run in parallel (it releases the GIL).
    Raises HashingOverloaded if `queue_size` tasks are waiting already."""

    def __init__(self, *, threads: int, queue_size: int) -> None:
        argon2id = Argon2Hasher(time_cost=ITERATIONS, memory_cost=MEMORY_KIBIBYTES, parallelism=LANES)
        self._hash = PasswordHash([argon2id])
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="hashing")
        self._max_tasks = threads + queue_size
        self._tasks = 0
        self._dummy_hash = self._hash.hash(create_secret())

    async def hash(self, password: str) -> str:
        return await self.run(lambda: self._hash.hash(password))

    async def verify(self, password: str, password_hash: str | None) -> tuple[bool, str | None]:
        """Whether the password matches, and a new hash if the stored one has outdated parameters.
        With `password_hash=None` a dummy hash is verified, so that timing does not reveal unknown users."""
        matches, new_hash = await self.run(
            lambda: self._hash.verify_and_update(password, password_hash or self._dummy_hash)
        )
        return matches and password_hash is not None, new_hash

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run CPU-bound `work` in a hashing thread."""
        if self._tasks >= self._max_tasks:
            raise HashingOverloaded()
        self._tasks += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._tasks -= 1
            HASHED.inc()

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
