"""`make run` as a process group: signals end everything, and nothing outlives a killed supervisor."""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from stockbuddy.chassis.testing.rabbitmq import PrivateRabbitMQ
from tests.faults.deployment import first_of_free_ports

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
START_TIMEOUT_SECONDS = 180
STOP_TIMEOUT_SECONDS = 60


class MakeRun:
    """`make run` in a session of its own, as a service manager starts it."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, data: Path, log: Path) -> None:
        self.process = process
        self.port = port
        self.data = data
        self._log = log

    @property
    def output(self) -> str:
        return self._log.read_text()

    def descendants(self) -> set[int]:
        """Processes with this run's data directory in their environment: all that it started, also in new sessions."""
        marker = f"STOCKBUDDY_DATA={self.data}\0".encode()
        found = set()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdecimal() and marker in (entry / "environ").read_bytes():
                    found.add(int(entry.name))
        return found

    def supervisor(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        assert len(children) == 1
        assert b"stockbuddy.embedded" in Path(f"/proc/{children[0]}/cmdline").read_bytes(), "no shell in between"
        return int(children[0])

    async def wait_until_ready(self) -> None:
        async with asyncio.timeout(START_TIMEOUT_SECONDS), aiohttp.ClientSession() as http:
            while "Stockbuddy is ready at" not in self.output:
                assert self.process.returncode is None, self.output
                await asyncio.sleep(0.1)
            while not await self._is_ready(http):
                await asyncio.sleep(0.1)

    async def _is_ready(self, http: aiohttp.ClientSession) -> bool:
        async with http.get(f"http://127.0.0.1:{self.port}/health/ready") as response:
            return response.status == 200

    async def wait_until_all_ended(self) -> None:
        async with asyncio.timeout(STOP_TIMEOUT_SECONDS):
            await self.process.wait()
            while self.descendants():
                await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def make_run(data: Path, port: int, *variables: str) -> AsyncIterator[MakeRun]:
    log = data.with_suffix(f".{len(list(data.parent.glob('*.log')))}.log")
    # A make that runs these tests must not pass on its level and its flags.
    outer = ("MAKELEVEL", "MAKEFLAGS", "MFLAGS")
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *("make", "--no-print-directory", "run", f"PORT={port}", *variables),
            cwd=ROOT,
            env={**environment, "STOCKBUDDY_DATA": str(data)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    run = MakeRun(process, port, data, log)
    try:
        yield run
    finally:
        for process_id in run.descendants():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)
        await process.wait()
        for file in data.glob("postgres/*/postmaster.pid"):  # in a session of its own
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(file.read_text().split()[0]), signal.SIGQUIT)


@pytest.fixture(autouse=True)
def sigint_is_not_ignored() -> None:
    """A shell starts background jobs with SIGINT ignored, and so would be every process that they start."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("with_processes", [False, True])
async def test_sigterm_to_make_ends_every_process(
    with_processes: bool, private_rabbitmq: PrivateRabbitMQ, tmp_path: Path
) -> None:
    variables = [f"BUS_URL={private_rabbitmq.url}"] if with_processes else []
    async with make_run(tmp_path / "data", first_of_free_ports(5), *variables) as run:
        await run.wait_until_ready()
        run.process.terminate()
        await run.wait_until_all_ended()
        assert run.output.count("service.stopped") == run.output.count("service.started") >= 4
        assert "Traceback" not in run.output


async def test_killed_supervisor_takes_its_processes_with_it(private_rabbitmq: PrivateRabbitMQ, tmp_path: Path) -> None:
    port = first_of_free_ports(5)
    for _ in range(2):  # the second start finds its ports free
        async with make_run(tmp_path / "data", port, f"BUS_URL={private_rabbitmq.url}") as run:
            await run.wait_until_ready()
            os.kill(run.supervisor(), signal.SIGKILL)
            await run.wait_until_all_ended()
            assert "is in use" not in run.output


async def test_unreachable_broker_is_named_once_per_connection(tmp_path: Path) -> None:
    port = first_of_free_ports(5)
    async with make_run(tmp_path / "data", port, f"BUS_URL=amqp://ann:secret@127.0.0.1:{port - 1}/") as run:
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            while run.output.count("bus.unavailable") < 8:
                await asyncio.sleep(0.1)
        connections = re.findall(
            rf"bus\.unavailable .*broker=127\.0\.0\.1:{port - 1} connection='(\w+ \w+)'", run.output
        )
        assert len(set(connections)) == 8
        assert "aiormq" not in run.output
        assert "secret" not in run.output


async def test_refused_broker_password_is_named_and_the_system_serves(
    private_rabbitmq: PrivateRabbitMQ, tmp_path: Path
) -> None:
    parts = urlsplit(private_rabbitmq.url)
    url = parts._replace(netloc=f"guest:of-another-system@{parts.netloc.rpartition('@')[2]}").geturl()
    async with make_run(tmp_path / "data", first_of_free_ports(5), f"BUS_URL={url}") as run:
        await run.wait_until_ready()
        assert "No connection to RabbitMQ yet: see `bus.unavailable` above." in run.output
        assert re.search(r"bus\.unavailable .*ACCESS_REFUSED", run.output)
        assert "of-another-system" not in run.output
        assert run.output.count("route=/health/ready") < 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_signal_in_the_first_seconds_prints_one_line(number: signal.Signals, tmp_path: Path) -> None:
    async with make_run(tmp_path / "data", first_of_free_ports(1)) as run:
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            while "Starting PostgreSQL" not in run.output:
                await asyncio.sleep(0.02)
        os.killpg(run.process.pid, number)
        await run.wait_until_all_ended()
        assert run.process.returncode != 0
        lines = [line for line in run.output.splitlines() if not re.match(r"make: |Starting|Creating|\d{4}-", line)]
        assert lines == ["Interrupted before the system was ready."]


async def test_dollar_in_a_password_is_passed_literally(tmp_path: Path) -> None:
    """The error names the user only; the password is visible in the URL that a program received."""
    url = "amqp://ann:pa$word$$(x)'@127.0.0.1:1/#"
    port = first_of_free_ports(5)
    async with make_run(tmp_path / "data", port, f"BUS_URL={url}") as run:
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            while "Starting a process" not in run.output:
                assert run.process.returncode is None, run.output
                await asyncio.sleep(0.1)
        environment = Path(f"/proc/{run.supervisor()}/environ").read_bytes().split(b"\0")
        assert f"BUS_URL={url}".encode() in environment
