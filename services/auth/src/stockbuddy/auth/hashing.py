"""Password hashing: argon2id with OWASP's parameters, in few threads, so that a flood of logins delays only logins.

The threads serve the clients' addresses in turn, and each address has a limited number of waiting tasks: a flood from
one address delays the logins of others by one task at most.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TypeVar

from prometheus_client import Counter
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from stockbuddy.auth.crypto import create_secret
from stockbuddy.auth.errors import HashingOverloaded, TooManyPasswords
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.chassis.runtime.event_context import current_event_context

Result = TypeVar("Result")

LANES = 1
IPV6_CLIENT_PREFIX_LENGTH = 64
"""What one client is usually assigned."""

HASHED = Counter("stockbuddy_auth_hashing_total", "Tasks completed by the password hashing threads.")


class FairQueue:
    """Grants `places` to tasks, taking turns between addresses; the tasks of one address keep their order.
    Raises TooManyPasswords if `max_per_address` tasks of the address are waiting, HashingOverloaded if `max_waiting`
    tasks of all addresses are."""

    def __init__(self, places: int, *, max_waiting: int, max_per_address: int) -> None:
        self._free_places = places
        self._max_waiting = max_waiting
        self._max_per_address = max_per_address
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        """By address; the first address has the next turn."""

    async def enter(self, address: str) -> None:
        """Return when the task may run; then `leave` must be called."""
        if self._free_places and not self._waiting:
            self._free_places -= 1
            return
        queue = self._waiting.get(address, deque())
        if len(queue) >= self._max_per_address:
            raise TooManyPasswords()
        if sum(map(len, self._waiting.values())) >= self._max_waiting:
            raise HashingOverloaded()
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        self._waiting[address] = queue
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Give the place to the first task of the next address that still waits."""
        while self._waiting:
            address, queue = self._waiting.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._waiting[address] = queue
            if not turn.done():
                turn.set_result(None)
                return
        self._free_places += 1


class PasswordHasher:
    """Hashes and verifies in threads, which argon2 allows to run in parallel (it releases the GIL).
    Raises TooManyPasswords or HashingOverloaded."""

    def __init__(self, settings: AuthSettings) -> None:
        argon2id = Argon2Hasher(
            time_cost=settings.hashing_iterations,
            memory_cost=settings.hashing_memory_kibibytes,
            parallelism=LANES,
        )
        self._hash = PasswordHash([argon2id])
        self._threads = ThreadPoolExecutor(settings.hashing_threads, thread_name_prefix="hashing")
        self._queue = FairQueue(
            settings.hashing_threads,
            max_waiting=settings.hashing_queue_size,
            max_per_address=settings.hashing_queue_size_per_address,
        )
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
        """Run CPU-bound `work` in a hashing thread, in turn with the tasks of other addresses."""
        await self._queue.enter(client_network(current_event_context().client_ip))
        task = asyncio.get_running_loop().run_in_executor(self._threads, work)
        # The thread is busy until the work is done, also if the request is cancelled meanwhile.
        task.add_done_callback(self._complete)
        return await asyncio.shield(task)

    def _complete(self, _: object) -> None:
        HASHED.inc()
        self._queue.leave()

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)


def client_network(address: str | None) -> str:
    """The address, or the network that one IPv6 client is assigned."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed.packed, IPV6_CLIENT_PREFIX_LENGTH), strict=False))
    return str(parsed)
