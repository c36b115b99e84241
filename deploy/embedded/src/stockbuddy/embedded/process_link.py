"""Connects the two processes of an embedded system: commit signals in both directions, and questions with answers.

Each line is JSON: `["signal", schema, signal]`, `["question", number, name]` or `["answer", number, value]`.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from itertools import count
from typing import Any

from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.chassis.runtime.signals import Signals

ANSWER_TIMEOUT_SECONDS = 1.5
"""Below the time that a health check waits for a service."""
MAX_LINE_BYTES = 16 * 1024 * 1024
MAX_UNREAD_BYTES = 64 * 1024
"""While the other process does not read, signals are dropped beyond this size: workers also poll."""

Answers = Mapping[str, Callable[[], Any]]


class ProcessLink:
    """One end of the connection. `signals`: of each schema; those of the other process reach their listeners.
    `answers`: what the other process may ask, with functions that return JSON values."""

    def __init__(self, end: socket.socket, signals: Mapping[str, Signals], answers: Answers) -> None:
        self.closed = asyncio.Event()
        """Set when the other process has ended or has closed its end."""
        self._end = end
        self._signals = signals
        self._answers = answers
        self._numbers = count()
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._unsent: dict[tuple[str, str], None] = {}
        self._writer: asyncio.StreamWriter

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Exchange signals and questions while the block runs."""
        reader, self._writer = await asyncio.open_connection(sock=self._end, limit=MAX_LINE_BYTES)
        for schema, signals in self._signals.items():
            signals.forward = partial(self._forward, schema)
        reading = asyncio.create_task(self._read(reader))
        try:
            yield
        finally:
            for signals in self._signals.values():
                signals.forward = None
            reading.cancel()
            self._writer.transport.abort()  # `close` would wait for a process that does not read
            await asyncio.gather(reading, self._writer.wait_closed(), return_exceptions=True)

    async def ask(self, name: str, *, timeout_seconds: float = ANSWER_TIMEOUT_SECONDS) -> Any:
        """The other process's answer, after it has received all earlier signals. Raises DependencyUnavailable without
        one."""
        if self.closed.is_set():
            raise DependencyUnavailable("the process has ended", dependency="background")
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self._send_signals()
        self._write("question", number, name)
        try:
            async with asyncio.timeout(timeout_seconds):
                return await answer
        except TimeoutError:
            raise DependencyUnavailable(
                "the process does not answer", dependency="background", reason="timed_out"
            ) from None
        finally:
            del self._asked[number]

    def _forward(self, schema: str, signal: str) -> None:
        """Equal signals of one turn of the event loop are sent once."""
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._send_signals)
        self._unsent[schema, signal] = None

    def _send_signals(self) -> None:
        unsent, self._unsent = self._unsent, {}
        if self._writer.transport.get_write_buffer_size() < MAX_UNREAD_BYTES:
            for schema, signal in unsent:
                self._write("signal", schema, signal)

    def _write(self, *values: Any) -> None:
        self._writer.write(json.dumps(values).encode() + b"\n")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                self._receive(*json.loads(line))
        except ConnectionError:
            pass
        finally:
            self.closed.set()

    def _receive(self, kind: str, first: Any, value: Any) -> None:
        if kind == "signal":
            self._signals[first].receive(value)
        elif kind == "question":
            self._write("answer", first, self._answers[value]())
        elif (answer := self._asked.get(first)) is not None:
            answer.set_result(value)
