"""Structured logs: an event name and fields; JSON lines in production, readable lines in development. Every line has
the id of the request that caused it, and its company in an installation of several."""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, WrappedLogger

from stockbuddy.chassis.runtime.companies import current_company
from stockbuddy.chassis.runtime.event_context import current_event_context


def configure_logging(*, level: str, output: Literal["json", "console"]) -> None:
    """Call once per process, before the first log line."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if output == "json"
        # Plain tracebacks: the rich ones print local variables, passwords among them.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_context,
            *([structlog.processors.format_exc_info] if output == "json" else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries use the standard logger; their warnings and errors are logged, the rest is dropped.
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    # It logs every attempt to connect as an error; the bus logs an outage once, then every 30 s.
    logging.getLogger("aiormq.connection").setLevel(logging.CRITICAL)


def _add_context(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if request_id := current_event_context().request_id:
        event.setdefault("request_id", request_id)
    if company := current_company():
        event.setdefault("company", company)
    return event
