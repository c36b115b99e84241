"""Collects when sessions and API keys were last used, and reports it to auth periodically.

Auth itself sees a token only when it issues it.
"""

from datetime import UTC, datetime
from itertools import islice

from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.contracts.internal import LAST_USED_PATH, MAX_LAST_USED, LastUsed, LastUsedReport
from stockbuddy.gateway.auth_reports.client import post_report, send_final_report
from stockbuddy.gateway.proxy.client import AuthClient

MAX_PENDING = 50_000


class ActivityReporter:
    def __init__(self, auth: AuthClient, *, interval_seconds: float) -> None:
        self._auth = auth
        self._pending: dict[str, float] = {}
        """Session id → seconds since the epoch."""
        self.worker = PollingWorker("activity reports", self._report, interval_seconds=interval_seconds)

    def record(self, session_id: str) -> None:
        if len(self._pending) < MAX_PENDING or session_id in self._pending:
            self._pending[session_id] = clock.timestamp()

    async def close(self) -> None:
        await send_final_report(self._report)

    async def _report(self) -> None:
        unsent, self._pending = self._pending, {}
        try:
            while batch := list(islice(unsent.items(), MAX_LAST_USED)):
                sessions = [LastUsed(session_id=id, used_at=datetime.fromtimestamp(at, UTC)) for id, at in batch]
                await post_report(self._auth, LAST_USED_PATH, LastUsedReport(sessions=sessions))
                for session_id, _ in batch:
                    del unsent[session_id]
        finally:
            if unsent:
                self._pending = unsent | self._pending
