"""Sends deliveries: each webhook has a task of its own while something is due, so that a slow one delays no other.

A delivery is at least once: if we die between the receiver's answer and our commit, its lease ends and it is sent
again, with the same `webhook-id`.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Self

import aiohttp
import structlog

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import is_connection_error
from stockbuddy.notifications.news import on_news
from stockbuddy.notifications.settings import NotificationsSettings
from stockbuddy.notifications.webhooks import delivery_queue
from stockbuddy.notifications.webhooks.egress_policy import PatientResolver, public_socket
from stockbuddy.notifications.webhooks.attempt import Outcome, Parcel, attempt
from stockbuddy.notifications.webhooks.commands import MOST_WEBHOOKS, disable_webhook
from stockbuddy.notifications.webhooks.delivery_queue import Verdict
from stockbuddy.notifications.webhooks.queries import lock_webhook
from stockbuddy.notifications.webhooks.retry_schedule import pause_after

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
DEALT_AT_ONCE = 500
AT_ONCE_PER_WEBHOOK = 8
TAKEN_AT_ONCE = 4 * AT_ONCE_PER_WEBHOOK
AWAY_SECONDS = 1.0
LEAVE_SECONDS = 2
"""For what is on its way when we are told to stop."""


class WebhookSender:
    """Open it, run it beside the requests."""

    def __init__(self, database: Database, settings: NotificationsSettings) -> None:
        self._database = database
        self._settings = settings
        self._news = asyncio.Event()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._woken: set[int] = set()
        self._leaving = False
        self._looked_at = 0.0

    async def __aenter__(self) -> Self:
        self.resolver = PatientResolver(MOST_WEBHOOKS)
        connector = aiohttp.TCPConnector(
            limit=0,  # each webhook's own limit is enough; a common one would let some starve others
            limit_per_host=0,
            resolver=self.resolver,
            socket_factory=None if self._settings.webhook_allow_private else public_socket,
        )
        self._client = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self._settings.webhook_timeout_seconds),
            headers={"User-Agent": "Stockbuddy-Webhooks/1"},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        on_news(self._database, self._news.set)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leaving = True
        if tasks := list(self._tasks.values()):
            await asyncio.wait(tasks, timeout=LEAVE_SECONDS)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()
        await self.resolver.close()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._news.clear()
            try:
                await self._deal_and_look()
            except Exception as error:
                if not is_connection_error(error):
                    raise
                log.warning("webhooks.database_away", error=repr(error))
                await asyncio.sleep(AWAY_SECONDS)
                continue
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                pass  # Retries become due without news, and other replicas' events come without any.

    async def _deal_and_look(self) -> None:
        """Deal out what is new; look for what else is due when nothing is, and now and then."""
        while True:
            async with self._database.transaction() as session:
                deal = await delivery_queue.deal_out(session, DEALT_AT_ONCE)
            self._wake(deal.webhook_ids)
            if deal.seen < DEALT_AT_ONCE:
                break
        now = asyncio.get_running_loop().time()
        if not deal.seen or now - self._looked_at > LOOK_SECONDS:
            self._looked_at = now
            async with self._database.reading() as session:
                self._wake(await delivery_queue.webhooks_with_due(session))

    def _wake(self, webhook_ids: Sequence[int]) -> None:
        self._woken.update(webhook_ids)
        for webhook_id in webhook_ids:
            if webhook_id not in self._tasks:
                self._tasks[webhook_id] = asyncio.create_task(self._serve(webhook_id))

    async def _serve(self, webhook_id: int) -> None:
        """Send to one webhook until nothing is due for it."""
        try:
            while webhook_id in self._woken and not self._leaving:
                self._woken.discard(webhook_id)
                if parcels := await self._take(webhook_id):
                    if len(parcels) == TAKEN_AT_ONCE:
                        self._woken.add(webhook_id)
                    await self._send_round(webhook_id, parcels)
        except Exception as error:
            # Whatever is left behind is another's when its lease ends.
            log.warning("webhooks.interrupted", webhook_id=webhook_id, exc_info=error)
        finally:
            del self._tasks[webhook_id]

    async def _send_round(self, webhook_id: int, parcels: Sequence[Parcel]) -> None:
        slots = asyncio.Semaphore(AT_ONCE_PER_WEBHOOK)
        verdicts = await asyncio.gather(*(self._send(parcel, slots) for parcel in parcels))
        await self._record(webhook_id, parcels, verdicts)
        pauses = [verdict.pause_seconds for verdict in verdicts if verdict.pause_seconds is not None]
        if pauses and min(pauses) < LOOK_SECONDS:
            asyncio.get_running_loop().call_later(min(pauses), self._news.set)

    async def _take(self, webhook_id: int) -> list[Parcel]:
        # All of it may have to wait for the slowest of the round before.
        rounds = TAKEN_AT_ONCE / AT_ONCE_PER_WEBHOOK
        lease_seconds = rounds * self._settings.webhook_timeout_seconds + 30
        async with self._database.transaction() as session:
            return await delivery_queue.take_due(session, webhook_id, most=TAKEN_AT_ONCE, lease_seconds=lease_seconds)

    async def _send(self, parcel: Parcel, slots: asyncio.Semaphore) -> Verdict:
        async with slots:
            outcome = await attempt(self._client, parcel)
        return self._judge(parcel, outcome)

    def _judge(self, parcel: Parcel, outcome: Outcome) -> Verdict:
        if outcome.succeeded:
            return Verdict(outcome, "delivered")
        pause_seconds = pause_after(parcel.tries, self._settings.webhook_retry_seconds, outcome.asked_seconds)
        if outcome.is_gone or pause_seconds is None:
            return Verdict(outcome, "failed")
        return Verdict(outcome, "pending", pause_seconds)

    async def _record(self, webhook_id: int, parcels: Sequence[Parcel], verdicts: Sequence[Verdict]) -> None:
        async with self._database.transaction() as session:
            by_delivery = {p.delivery_id: verdict for p, verdict in zip(parcels, verdicts, strict=True)}
            await delivery_queue.record(session, webhook_id, by_delivery)
            if any(verdict.outcome.succeeded for verdict in verdicts):
                return
            webhook = await lock_webhook(session, webhook_id)
            if webhook is None or not webhook.is_active:
                return
            if any(verdict.outcome.is_gone for verdict in verdicts):
                disable_webhook(session, webhook, "The receiver answered 410 Gone.")
            elif webhook.failing_since and webhook.failing_since < datetime.now(UTC) - self._patience:
                disable_webhook(
                    session, webhook, f"It has not answered well since {webhook.failing_since:%Y-%m-%d %H:%M} UTC."
                )

    @property
    def _patience(self) -> timedelta:
        return timedelta(seconds=self._settings.webhook_disable_seconds)
