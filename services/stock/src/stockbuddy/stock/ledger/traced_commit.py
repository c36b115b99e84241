"""Group commit with a span in the trace of each posting; used only if tracing is on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asyncpg
from opentelemetry.trace import SpanKind

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.stock.ledger.group_commit import GroupCommitter, Observe, Reclaim

if TYPE_CHECKING:  # imports OpenTelemetry's SDK
    from stockbuddy.chassis.runtime.service_traces import ServiceTracing


class TracedGroupCommitter(GroupCommitter):
    """The statements of a group belong to the trace of its first posting, to whose span those of the others link."""

    def __init__(self, database: Database, reclaim: Reclaim, observe: Observe, tracing: ServiceTracing) -> None:
        super().__init__(database, reclaim, observe)
        self._tracing = tracing

    async def _commit(self, connection: asyncpg.Connection, group: Sequence[Any], *, may_reclaim: bool) -> None:
        causes = [pending.posting.context.traceparent for pending in group]
        with self._tracing.spans_of(causes, "commit group", SpanKind.INTERNAL, {"stockbuddy.postings": len(group)}):
            await super()._commit(connection, group, may_reclaim=may_reclaim)
