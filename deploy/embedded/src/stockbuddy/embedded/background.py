"""The second process of an embedded system: relays, consumers and workers, for which requests then do not wait.

It is forked before the first one opens anything but has loaded all modules, whose memory both share. It ends with the
first process, which it notices by the end of their connection.
"""

import asyncio
import contextlib
import dataclasses
import gc
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, NoReturn

import structlog
import uvloop

from stockbuddy.chassis.http.service_runtime import RunningService, Work, run_service
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.runtime.companies import company_context, for_company
from stockbuddy.chassis.runtime.metrics_of_processes import export_metrics
from stockbuddy.chassis.runtime.process import prepare_to_serve
from stockbuddy.chassis.runtime.signals import Signals
from stockbuddy.chassis.runtime.traces import tracing_of
from stockbuddy.embedded.exit_codes import FAILED
from stockbuddy.embedded.process_link import ProcessLink
from stockbuddy.embedded.service_registry import SERVICES, Env
from stockbuddy.local_servers.process_reaper import ProcessReaper

log = structlog.get_logger(__name__)

STOP_TIMEOUT_SECONDS = 30
POLL_INTERVAL_SECONDS = 0.02
NICENESS = 5
"""While events are waiting, requests come first: the median of a single client is 4 to 5 ms instead of 6."""
START = "start"
OUTAGES = "outages"
METRICS = "metrics"


class BackgroundRun(NamedTuple):
    """What the process is to work for. `public_url`: where browsers reach the system. Both URLs have `{company}` if
    there are several `companies`; None stands for the only one."""

    database_url: str
    env: Env
    public_url: str | None
    companies: Sequence[str | None] = (None,)


def name_of(company: str | None, service: str) -> str:
    """Of a service in the connection between both processes."""
    return service if company is None else f"{company}.{service}"


def signals_of(companies: Sequence[str | None]) -> Mapping[str, Signals]:
    """By name of the service."""
    return {name_of(company, embedded.name): Signals() for company in companies for embedded in SERVICES}


def is_wanted(setting: Literal["auto", "on", "off"]) -> bool:
    """On one processor a second process only takes memory. Other systems than Linux do not support programs that are
    forked after they have loaded system libraries."""
    if setting == "auto":
        return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1
    return setting == "on"


class BackgroundChild:
    """The process, seen from the one that has forked it, with the end of its connection."""

    def __init__(self, process_id: int, end: socket.socket) -> None:
        self.end = end
        self._process_id = process_id
        self._reaper = ProcessReaper([process_id], signal.SIGKILL)

    async def stopped(self) -> int:
        """Wait until the process has ended, and end it after STOP_TIMEOUT_SECONDS. Close the connection first. Returns
        its exit code, negative if a signal ended it."""
        for _ in range(int(STOP_TIMEOUT_SECONDS / POLL_INTERVAL_SECONDS)):
            if (code := self._exit_code(os.WNOHANG)) is not None:
                return code
            await asyncio.sleep(POLL_INTERVAL_SECONDS)
        os.kill(self._process_id, signal.SIGKILL)
        return self._exit_code(0) or FAILED

    def _exit_code(self, options: int) -> int | None:
        process_id, status = os.waitpid(self._process_id, options)
        if process_id == 0:
            return None
        self._reaper.dismiss()
        return os.waitstatus_to_exitcode(status)


def fork_background(run: BackgroundRun) -> BackgroundChild:
    """Fork the process. It does nothing until it is asked to START, when the tables exist."""
    ours, theirs = socket.socketpair()
    sys.stdout.flush()
    sys.stderr.flush()
    gc.collect()
    gc.freeze()  # a collection of either process would copy the pages that both share
    process_id = os.fork()
    if process_id == 0:
        ours.close()
        _run_and_exit(run, theirs)
    theirs.close()
    return BackgroundChild(process_id, ours)


def _run_and_exit(run: BackgroundRun, end: socket.socket) -> NoReturn:
    """Without the cleanup of the frames above, which belong to the first process."""
    code = FAILED
    try:
        # The first process alone decides when to stop. Functions, because programs started here would inherit SIG_IGN.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        os.nice(NICENESS)
        prepare_to_serve()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(run, end))
        code = 0
    except BaseException:
        log.exception("background.failed")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


async def _run(run: BackgroundRun, end: socket.socket) -> None:
    signals = signals_of(run.companies)
    services: dict[str, RunningService] = {}
    started = asyncio.Event()
    answers = {START: started.set, OUTAGES: lambda: _outages(services), METRICS: export_metrics}
    link = ProcessLink(end, signals, answers)
    async with link.opened():
        if not await _is_first(started, link.closed):
            return
        async with _running(run, signals, services):
            await link.closed.wait()


async def _is_first(wanted: asyncio.Event, other: asyncio.Event) -> bool:
    waits = [asyncio.create_task(event.wait()) for event in (wanted, other)]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    return wanted.is_set()


@contextlib.asynccontextmanager
async def _running(
    run: BackgroundRun, signals: Mapping[str, Signals], services: dict[str, RunningService]
) -> AsyncIterator[None]:
    """The background work of all services of all companies, which are added to `services`."""
    async with contextlib.AsyncExitStack() as stack:
        for company in run.companies:
            with company_context(company):
                await _start_services(stack, run, company, signals, services)
        yield


async def _start_services(
    stack: contextlib.AsyncExitStack,
    run: BackgroundRun,
    company: str | None,
    signals: Mapping[str, Signals],
    services: dict[str, RunningService],
) -> None:
    bus = InProcessBus(expected_services=frozenset(embedded.name for embedded in SERVICES))
    for embedded in SERVICES:
        # No request is authenticated here, and no gateway calls: the keys and the secret are never used.
        settings = embedded.load_settings(
            for_company(run.database_url, company),
            env=run.env,
            gateway_secret=secrets.token_urlsafe(32),
            public_url=for_company(run.public_url, company) if run.public_url else None,
            company=company,
        )
        name = name_of(company, embedded.name)
        services[name] = await stack.enter_async_context(
            run_service(
                embedded.service,
                settings,
                Work.BACKGROUND,
                fetch_jwks=_no_keys,
                bus=bus,
                signals=signals[name],
                tracing=tracing_of(embedded.name),
            )
        )
    stack.push_async_callback(bus.close)


async def _no_keys() -> Mapping[str, Any]:
    return {"keys": []}


def _outages(services: Mapping[str, RunningService]) -> Mapping[str, Sequence[Mapping[str, str]]]:
    """By name of the service; those that have not started are absent."""
    return {name: [dataclasses.asdict(failure) for failure in one.failures()] for name, one in services.items()}
