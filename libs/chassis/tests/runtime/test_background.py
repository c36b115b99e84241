"""Workers that poll."""

import asyncio

from stockbuddy.chassis.runtime.background import GrowingInterval, PollingWorker

DEADLINE_SECONDS = 120


async def test_worker_asks_whether_work_is_due_unless_it_was_woken() -> None:
    asked = asyncio.Semaphore(0)
    done = asyncio.Semaphore(0)
    is_due = False

    async def ask() -> bool:
        asked.release()
        return is_due

    async def work() -> None:
        done.release()

    async with (
        asyncio.timeout(DEADLINE_SECONDS),
        PollingWorker("polls", work, interval_seconds=0.01, is_due=ask) as worker,
    ):
        for _ in range(3):
            await asked.acquire()
        assert done.locked()
        worker.wake()
        await done.acquire()
        assert done.locked()
        is_due = True
        await done.acquire()


async def test_worker_that_found_work_continues_without_asking() -> None:
    rounds = asyncio.Semaphore(0)
    asked = 0

    async def ask() -> bool:
        nonlocal asked
        asked += 1
        return True

    async def work() -> bool:
        rounds.release()
        await asyncio.sleep(0)
        return True

    async with asyncio.timeout(DEADLINE_SECONDS), PollingWorker("works", work, interval_seconds=60, is_due=ask):
        for _ in range(10):
            await rounds.acquire()
    assert asked == 1


async def test_interval_grows_while_polls_find_nothing() -> None:
    asked = asyncio.Semaphore(0)
    worked = asyncio.Event()

    async def ask() -> bool:
        asked.release()
        return False

    async def work() -> None:
        worked.set()

    began_at = asyncio.get_running_loop().time()
    async with (
        asyncio.timeout(DEADLINE_SECONDS),
        PollingWorker("rests", work, interval_seconds=GrowingInterval(0.001, 0.5), is_due=ask) as worker,
    ):
        for _ in range(12):
            await asked.acquire()
        # 1, 2, 4, … 256 and three times 500 ms, each with a jitter of 0.8 to 1.
        assert asyncio.get_running_loop().time() - began_at >= 0.8 * 1.0
        worker.wake()
        await worked.wait()
