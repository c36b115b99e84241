"""Sends deliveries: one task per webhook with due deliveries, so that a slow webhook delays no other.

Delivery is at-least-once: if the process dies between the receiver's response and our commit, the lease expires and the
delivery is sent again with the same `webhook-id`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Self

import aiohttp
import structlog

from stockbuddy.chassis.encryption import SecretBox
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.chassis.runtime.failures import is_environment_fault
from stockbuddy.notifications.event_log.append import APPENDED
from stockbuddy.notifications.settings import NotificationsSettings
from stockbuddy.notifications.webhooks import delivery_queue
from stockbuddy.notifications.webhooks.attempt import Attempt, AttemptResult, PendingDelivery, attempt_delivery
from stockbuddy.notifications.webhooks.commands import MAX_WEBHOOKS
from stockbuddy.notifications.webhooks.delivery_queue import DUE, DeliveryTransition
from stockbuddy.notifications.webhooks.egress_policy import PooledResolver, create_public_socket
from stockbuddy.notifications.webhooks.record_results import Results, record_results
from stockbuddy.notifications.webhooks.retry_schedule import backoff_seconds

log = structlog.get_logger(__name__)

POLL_INTERVAL_SECONDS = 1.0
"""Retries become due, and other replicas append events, without a commit of this process."""
FAN_OUT_BATCH_SIZE = 500
MAX_CONCURRENT_PER_WEBHOOK = 8
LEASE_BATCH_SIZE = 4 * MAX_CONCURRENT_PER_WEBHOOK
LEASE_MARGIN_SECONDS = 30
SHUTDOWN_GRACE_SECONDS = 2
"""For deliveries in flight on shutdown."""


class WebhookDispatcher:
    """Open it as a context manager, then run `worker`."""

    def __init__(
        self,
        database: Database,
        settings: NotificationsSettings,
        secret_box: SecretBox,
        attempt: Attempt = attempt_delivery,
    ) -> None:
        self._database = database
        self._secret_box = secret_box
        self._attempt = attempt
        self._settings = settings
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._woken: set[int] = set()
        self._is_stopping = False
        self._polled_at = 0.0
        self.worker = PollingWorker(
            "notifications.webhooks",
            self._dispatch,
            interval_seconds=POLL_INTERVAL_SECONDS,
            is_due=partial(database.exists, delivery_queue.DUE_WORK),
        )
        database.on_commit(APPENDED, self.worker.wake)
        database.on_commit(DUE, self.worker.wake)

    async def __aenter__(self) -> Self:
        self.resolver = PooledResolver(MAX_WEBHOOKS)
        connector = aiohttp.TCPConnector(
            limit=0,  # MAX_CONCURRENT_PER_WEBHOOK is the limit; a shared one would let some webhooks starve others
            limit_per_host=0,
            resolver=self.resolver,
            socket_factory=None if self._settings.webhook_allow_private else create_public_socket,
        )
        self._client = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self._settings.webhook_timeout_seconds),
            headers={"User-Agent": "Stockbuddy-Webhooks/1"},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_stopping = True
        if tasks := list(self._tasks.values()):
            await asyncio.wait(tasks, timeout=SHUTDOWN_GRACE_SECONDS)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()
        await self.resolver.close()

    async def _dispatch(self) -> bool:
        """Fan out new events and start a task for each webhook with due deliveries."""
        async with self._database.transaction() as session:
            result = await delivery_queue.fan_out(session, FAN_OUT_BATCH_SIZE)
        self._start_tasks(result.webhook_ids)
        if result.events == FAN_OUT_BATCH_SIZE:
            return True
        now = asyncio.get_running_loop().time()
        if not result.events or now - self._polled_at > POLL_INTERVAL_SECONDS:
            self._polled_at = now
            async with self._database.reading() as session:
                self._start_tasks(await delivery_queue.find_webhooks_with_due(session))
        return False

    def _start_tasks(self, webhook_ids: Sequence[int]) -> None:
        self._woken.update(webhook_ids)
        for webhook_id in webhook_ids:
            if webhook_id not in self._tasks:
                self._tasks[webhook_id] = asyncio.create_task(self._deliver(webhook_id))

    async def _deliver(self, webhook_id: int) -> None:
        """Send to one webhook until none of its deliveries is due."""
        try:
            while webhook_id in self._woken and not self._is_stopping:
                self._woken.discard(webhook_id)
                if deliveries := await self._lease_due(webhook_id):
                    if len(deliveries) == LEASE_BATCH_SIZE:
                        self._woken.add(webhook_id)
                    await self._send_batch(webhook_id, deliveries)
        except Exception as error:
            # The remaining deliveries become due again when their lease expires.
            log.warning("webhooks.deliveries_interrupted", webhook_id=webhook_id, exc_info=error)
        finally:
            del self._tasks[webhook_id]

    async def _lease_due(self, webhook_id: int) -> list[PendingDelivery]:
        # The last deliveries of a batch wait until those before them have timed out.
        rounds = LEASE_BATCH_SIZE / MAX_CONCURRENT_PER_WEBHOOK
        lease_seconds = rounds * self._settings.webhook_timeout_seconds + LEASE_MARGIN_SECONDS
        async with self._database.transaction() as session:
            return await delivery_queue.lease_due(
                session, webhook_id, self._secret_box, limit=LEASE_BATCH_SIZE, lease_seconds=lease_seconds
            )

    async def _send_batch(self, webhook_id: int, deliveries: Sequence[PendingDelivery]) -> None:
        """Record each result as soon as it is there, together with those that arrived meanwhile."""
        slots = asyncio.Semaphore(MAX_CONCURRENT_PER_WEBHOOK)
        arrived: asyncio.Queue[tuple[PendingDelivery, DeliveryTransition]] = asyncio.Queue()

        async def send(delivery: PendingDelivery) -> None:
            async with slots:
                result = await self._attempt(self._client, delivery)
            arrived.put_nowait((delivery, self._next_state(delivery, result)))

        unrecorded = len(deliveries)
        async with asyncio.TaskGroup() as senders:
            for delivery in deliveries:
                senders.create_task(send(delivery))
            while unrecorded:
                results = dict([await arrived.get()])
                while not arrived.empty():
                    results.update([arrived.get_nowait()])
                await self._record(webhook_id, results)
                unrecorded -= len(results)

    async def _record(self, webhook_id: int, results: Results) -> None:
        try:
            await self._record_together(webhook_id, results)
        except Exception as error:
            if is_environment_fault(error):
                raise
            # One result that can't be stored must not cause the others to be sent again.
            log.warning("webhooks.results_not_recorded", webhook_id=webhook_id, exc_info=error)
            for delivery, transition in results.items():
                await self._record_alone(webhook_id, delivery, transition)
        delays = [t.retry_delay_seconds for t in results.values() if t.retry_delay_seconds is not None]
        if delays and min(delays) < POLL_INTERVAL_SECONDS:
            asyncio.get_running_loop().call_later(min(delays), self.worker.wake)

    async def _record_together(self, webhook_id: int, results: Results) -> None:
        disable_after_seconds = self._settings.webhook_disable_after_seconds
        async with self._database.transaction() as session:
            await record_results(session, webhook_id, results, disable_after_seconds=disable_after_seconds)

    async def _record_alone(self, webhook_id: int, delivery: PendingDelivery, transition: DeliveryTransition) -> None:
        try:
            await self._record_together(webhook_id, {delivery: transition})
        except Exception as error:
            if is_environment_fault(error):
                raise
            result = replace(transition.result, response=None, error="the response could not be stored")
            await self._record_together(webhook_id, {delivery: replace(transition, result=result)})

    def _next_state(self, delivery: PendingDelivery, result: AttemptResult) -> DeliveryTransition:
        if result.is_success:
            return DeliveryTransition(result, "delivered")
        schedule = self._settings.webhook_retry_seconds
        delay_seconds = backoff_seconds(delivery.attempt, schedule, result.retry_after_seconds)
        if result.is_gone or delay_seconds is None:
            return DeliveryTransition(result, "failed")
        return DeliveryTransition(result, "pending", delay_seconds)
