"""The background process, seen from the one that serves the requests of one or several companies."""

import contextlib
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial

from stockbuddy.chassis.http.service_runtime import BackgroundProcess
from stockbuddy.chassis.runtime import metrics_of_processes
from stockbuddy.chassis.runtime.failures import DependencyUnavailable, Failure
from stockbuddy.embedded import background
from stockbuddy.embedded.process_link import ProcessLink

START_TIMEOUT_SECONDS = 60
"""For each company."""


class BackgroundLink:
    """`end`: of the connection to the process."""

    def __init__(self, end: socket.socket, companies: Sequence[str | None]) -> None:
        self._signals = background.signals_of(companies)
        self._start_timeout_seconds = START_TIMEOUT_SECONDS * len(companies)
        self._link = ProcessLink(end, self._signals, answers={})
        self.closed = self._link.closed
        """Set when the process has ended."""

    def of(self, company: str | None, service: str) -> BackgroundProcess:
        name = background.name_of(company, service)
        return BackgroundProcess(self._signals[name], partial(self._fetch_outages, name))

    @contextlib.asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """Start the background work of all companies, whose tables exist. It ends some time after the block."""
        async with self._link.opened():
            await self._link.ask(background.START, timeout_seconds=self._start_timeout_seconds)
            metrics_of_processes.add_process(partial(self._link.ask, background.METRICS))
            yield

    async def _fetch_outages(self, name: str) -> Sequence[Failure]:
        outages: Mapping[str, Sequence[Mapping[str, str]]] = await self._link.ask(background.OUTAGES)
        if name not in outages:
            raise DependencyUnavailable("the background work has not started", dependency="background")
        return [Failure(**outage) for outage in outages[name]]
