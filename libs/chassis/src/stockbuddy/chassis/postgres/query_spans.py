"""Spans of the statements that run within a span; used only if tracing is on.

SQLAlchemy's statements are prepared, which asyncpg's query loggers do not report; its engine's events do. Statements
that are sent through asyncpg itself are reported by its query loggers. The values of parameters are never recorded.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from asyncpg.connection import LoggedQuery
from opentelemetry.trace import SpanKind, get_current_span
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

if TYPE_CHECKING:  # imports OpenTelemetry's SDK
    from stockbuddy.chassis.runtime.service_traces import ServiceTracing


MAX_QUERY_LENGTH = 1000
_STARTED = "query_spans.started_ns"


class QuerySpans:
    """The statements of one service's database."""

    def __init__(self, tracing: ServiceTracing, schema: str) -> None:
        self._tracing = tracing
        self._schema = schema

    def observe(self, engine: AsyncEngine) -> None:
        """To be called before the engine connects."""
        event.listen(engine.sync_engine, "before_cursor_execute", self._before)
        event.listen(engine.sync_engine, "after_cursor_execute", self._after)
        event.listen(engine.sync_engine, "connect", self._connected)

    def _connected(self, _: Any, record: Any) -> None:
        record.driver_connection.add_query_logger(self._log)

    def _before(self, connection: Any, *_: Any) -> None:
        connection.info[_STARTED] = time.time_ns()

    def _after(self, connection: Any, _: Any, statement: str, *__: Any) -> None:
        self._record(statement, connection.info[_STARTED], time.time_ns())

    def _log(self, query: LoggedQuery) -> None:
        """Called in the context of the statement, after it has ended; its span may have ended by then."""
        end_ns = time.time_ns()
        self._record(query.query, end_ns - round(query.elapsed * 1e9), end_ns)

    def _record(self, statement: str, start_ns: int, end_ns: int) -> None:
        if not get_current_span().get_span_context().trace_flags.sampled:
            return
        query = " ".join(statement.split())
        attributes = {
            "db.system.name": "postgresql",
            "db.namespace": self._schema,
            "db.query.text": query[:MAX_QUERY_LENGTH],
        }
        name = query.partition(" ")[0].rstrip(";").upper()
        self._tracing.completed(name, start_ns=start_ns, end_ns=end_ns, kind=SpanKind.CLIENT, attributes=attributes)
