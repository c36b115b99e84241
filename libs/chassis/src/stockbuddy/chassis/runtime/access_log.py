"""The access log: one line for each completed request, so that a client's request id is found in every service.

The lines are formatted and written by hand, several at once: one through structlog costs ten times as much.
"""

import asyncio
import atexit
import contextlib
import sys
from json.encoder import encode_basestring_ascii as _quoted
from typing import NamedTuple

from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.settings import ServiceSettings

FLUSH_SECONDS = 0.2
MAX_CHUNK_LENGTH = 4000
"""A pipe takes up to 4096 bytes at once, so that lines of several processes do not mix."""
ROUTINE_PATHS = ("/health/", "/metrics", "/internal/")
"""Polled several times a second: only failures are logged."""


class LineWriter:
    """Writes lines to the standard error stream, at most FLUSH_SECONDS after they were added."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._length = 0
        self._scheduled_on: asyncio.AbstractEventLoop | None = None

    def add(self, line: str) -> None:
        self._lines.append(line)
        self._length += len(line)
        if self._length > MAX_CHUNK_LENGTH:
            self.flush()
        elif self._scheduled_on is not (loop := asyncio.get_running_loop()):
            self._scheduled_on = loop
            loop.call_later(FLUSH_SECONDS, self._flush_on_time)

    def _flush_on_time(self) -> None:
        self._scheduled_on = None
        self.flush()

    def flush(self) -> None:
        lines, self._lines, self._length = self._lines, [], 0
        if lines:
            with contextlib.suppress(OSError, ValueError):  # the stream is closed
                sys.stderr.write("".join(lines))


_writer = LineWriter()


@atexit.register
def flush() -> None:
    """Write the lines of this process that are waiting."""
    _writer.flush()


class AccessLog:
    """The requests of one service. `ACCESS_LOG=false`, or a `LOG_LEVEL` above info, turns it off."""

    def __init__(self, service: str, settings: ServiceSettings) -> None:
        self._service = service
        self._company = settings.company
        self._is_on = settings.access_log and settings.log_level in ("debug", "info")
        self._format = _to_text if settings.env == "development" else _to_json

    def record(
        self, method: str, path: str, route: str, status: int, seconds: float, caller: str | None, request_id: str
    ) -> None:
        """`route`: the template of `path`, or whatever identifies the operation. `seconds`: until the response started
        (gateway) or ended. `caller`: user or API key, None if anonymous. `status`: 0 if the client disconnected."""
        if not self._is_on or (status < 400 and path.startswith(ROUTINE_PATHS)):
            return
        entry = _Entry(
            time=clock.now().isoformat()[:-6],
            service=self._service,
            company=self._company,
            method=method,
            route=_quoted(route),
            status=status,
            milliseconds=f"{seconds * 1000:.2f}",
            caller=caller or "anonymous",
            request_id=request_id,
        )
        _writer.add(self._format(entry))


class _Entry(NamedTuple):
    """`route`: quoted, as JSON."""

    time: str
    service: str
    company: str | None
    method: str
    route: str
    status: int
    milliseconds: str
    caller: str
    request_id: str


def _to_json(entry: _Entry) -> str:
    of_company = f'"company":"{entry.company}",' if entry.company else ""
    return (
        f'{{"service":"{entry.service}",{of_company}"method":"{entry.method}","route":{entry.route},'
        f'"status":{entry.status},"milliseconds":{entry.milliseconds},"caller":{_quoted(entry.caller)},'
        f'"request_id":"{entry.request_id}","event":"request.completed","level":"info","timestamp":"{entry.time}Z"}}\n'
    )


def _to_text(entry: _Entry) -> str:
    """As structlog's renderer for terminals writes it."""
    of_company = f"company={entry.company} " if entry.company else ""
    return (
        f"{entry.time}Z [info     ] request.completed              caller={entry.caller} {of_company}"
        f"method={entry.method} milliseconds={entry.milliseconds} request_id={entry.request_id} "
        f"route={entry.route[1:-1]} service={entry.service} status={entry.status}\n"
    )
