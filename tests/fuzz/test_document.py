"""The whole API document against the whole system, by schemathesis: no failure, every answer as documented."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.chassis.testing.clients import PASSWORD
from stockbuddy.local_servers.ports import free_port

FOLDER = Path(__file__).parent
REPOSITORY = FOLDER.parents[1]
CALLERS = [f"caller-{number}" for number in range(40)]
START_SECONDS = 60
UNLIMITED = {f"RATE_LIMIT_{whom}": "off" for whom in ("CALLER", "ADDRESS", "LOGIN")}


@pytest.fixture
def system(private_postgres: LocalPostgres, tmp_path: Path) -> Iterator[str]:
    """The system in a process of its own, as a newcomer runs it; its address."""
    port = free_port()
    environment = {
        **os.environ,
        **UNLIMITED,
        "ENV": "development",
        "PORT": str(port),
        "DATABASE_URL": private_postgres.url,
    }
    with (tmp_path / "log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "stockbuddy.embedded"], env=environment, cwd=tmp_path, stdout=log, stderr=log
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_ready(url)
            yield url
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "the system does not start"
        time.sleep(0.1)


def make_callers(url: str) -> None:
    with httpx.Client(base_url=f"{url}/api/v1", timeout=30) as http:
        for username in CALLERS:
            account = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
            made = http.post("/auth/admin/register", json=account)
            assert made.status_code == 201, made.text
            if username == CALLERS[0]:
                login = http.post("/auth/login", json={"username": username, "password": PASSWORD})
                http.headers["Authorization"] = f"Bearer {login.json()['access_token']}"


def try_out(url: str, *options: str, **environment: str) -> None:
    command = [str(Path(sys.executable).with_name("schemathesis")), "--no-color", "--config-file"]
    command += [str(FOLDER / "schemathesis.toml"), "run", f"{url}/openapi.json", *options]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    print(done.stdout[done.stdout.find("SUMMARY") :])
    assert done.returncode == 0, done.stdout


AS_CALLERS = {
    "SCHEMATHESIS_HOOKS": str(FOLDER / "callers.py"),
    "FUZZ_USERNAMES": ",".join(CALLERS),
    "FUZZ_PASSWORD": PASSWORD,
}
REPEATABLE = ("--seed=1", "--generation-deterministic")


@pytest.mark.timeout(900)
def test_every_answer_is_as_documented(system: str) -> None:
    make_callers(system)
    try_out(system, "--phases=coverage", *REPEATABLE, **AS_CALLERS, FUZZ_URL=system)


@pytest.mark.timeout(900)
def test_so_is_every_answer_to_strangers(system: str) -> None:
    make_callers(system)
    try_out(system, "--phases=coverage", "--mode=positive", *REPEATABLE)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_answer_is_as_documented_however_long_one_looks(system: str) -> None:
    make_callers(system)
    longest = f"--max-time={os.environ.get('FUZZ_SECONDS', '600')}"
    try_out(system, "--phases=examples,coverage,fuzzing", "--max-examples=200", longest, **AS_CALLERS, FUZZ_URL=system)
