"""Background work of a process: workers that poll, and leases that are renewed while work runs.

Every loop of the system is a `PollingWorker`, so that starting, stopping, waking, backoff and logging exist once.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, Self

import structlog

from stockbuddy.chassis.runtime.failures import is_environment_fault
from stockbuddy.chassis.runtime.outages import OutageLog

log = structlog.get_logger(__name__)

MIN_RETRY_DELAY_SECONDS = 0.2
MAX_RETRY_DELAY_SECONDS = 5.0
CANCEL_TIMEOUT_SECONDS = 3.0

Work = Callable[[], Awaitable[bool | None]]
"""One round of work. Returns True if there may be more to do at once."""
IsDue = Callable[[], Awaitable[bool]]
"""Whether a round would find work."""


class GrowingInterval(NamedTuple):
    """Doubles with each poll that finds nothing, up to `max_seconds`. For work whose commits call `wake`, so that polls
    only find what other processes have left."""

    seconds: float
    max_seconds: float


class PollingWorker:
    """Calls `work` until it is stopped: again at once while it returns True, otherwise when `wake` is called and at the
    latest after `interval_seconds`. Work committed by another replica wakes nothing here, hence the interval.

    Most polls find nothing. `is_due`, a query that is cheaper than a round, is therefore called first, unless `wake`
    was called or the previous round returned True.

    An exception never ends the worker: it is logged and `work` is called again with exponential backoff and jitter.
    """

    def __init__(
        self,
        name: str,
        work: Work,
        *,
        interval_seconds: float | GrowingInterval,
        is_due: IsDue | None = None,
        shutdown_seconds: float = 0,
        max_retry_delay_seconds: float = MAX_RETRY_DELAY_SECONDS,
    ) -> None:
        """`shutdown_seconds`: how long `stop` waits for a round in progress before it cancels it."""
        self.name = name
        self.outage = OutageLog("worker.dependency_unavailable", worker=name)
        self._work = work
        self._is_due = is_due
        self._interval = (
            interval_seconds
            if isinstance(interval_seconds, GrowingInterval)
            else GrowingInterval(interval_seconds, interval_seconds)
        )
        self._shutdown_seconds = shutdown_seconds
        self._max_retry_delay_seconds = max_retry_delay_seconds
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Call `work` without waiting for the interval to end."""
        self._wake.set()

    @property
    def is_stopping(self) -> bool:
        """True once `stop` was called: a long round of work should end early."""
        return self._stopping.is_set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Let the round in progress finish within `shutdown_seconds`, then cancel it."""
        self._stopping.set()
        self._wake.set()
        if self._task is None:
            return
        if self._shutdown_seconds:
            await asyncio.wait([self._task], timeout=self._shutdown_seconds)
        # Repeated, because `wait_for` of Python 3.11 loses a cancellation that arrives together with its result.
        while not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CANCEL_TIMEOUT_SECONDS)

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _run(self) -> None:
        failures = 0
        has_more: bool | None = False
        interval_seconds = self._interval.seconds
        while not self.is_stopping:
            is_woken = self._wake.is_set()
            self._wake.clear()
            try:
                works = is_woken or has_more or await self._may_find_work()
                has_more = await self._work() if works else False
                interval_seconds = (
                    self._interval.seconds if works else min(interval_seconds * 2, self._interval.max_seconds)
                )
                failures = 0
                self.outage.end()
            except Exception as error:
                failures += 1
                await self._back_off(error, failures)
                continue
            if not has_more:
                # Jitter, so that the workers of a process do not all need a connection at once.
                await _wait(self._wake, interval_seconds * random.uniform(0.8, 1))

    async def _may_find_work(self) -> bool:
        return self._is_due is None or await self._is_due()

    async def _back_off(self, error: Exception, failures: int) -> None:
        if is_environment_fault(error):
            self.outage.record(error)
        else:
            log.error("worker.failed", worker=self.name, exc_info=error)
        delay_seconds = min(MIN_RETRY_DELAY_SECONDS * 2 ** min(failures, 10), self._max_retry_delay_seconds)
        # Jitter, so that replicas do not retry in step.
        await _wait(self._stopping, delay_seconds * random.uniform(0.5, 1))


async def _wait(event: asyncio.Event, timeout_seconds: float) -> None:
    try:
        async with asyncio.timeout(timeout_seconds):
            await event.wait()
    except TimeoutError:
        pass


@asynccontextmanager
async def renewed_lease(lease_seconds: float, renew: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Call `renew` every third of the lease while the block runs, so that two renewals in a row may fail."""

    async def renew_or_log() -> None:
        try:
            await renew()
        except Exception as error:
            log.warning("lease.not_renewed", error=repr(error))

    async def renew_until_cancelled() -> None:
        while True:
            await asyncio.sleep(lease_seconds / 3)
            await renew_or_log()

    task = asyncio.create_task(renew_until_cancelled())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
