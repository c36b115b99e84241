"""The whole system against its OpenAPI document, by schemathesis: no error, every response as documented."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.clients import PASSWORD
from stockbuddy.local_servers.ports import free_port
from stockbuddy.local_servers.postgres import LocalPostgres

FOLDER = Path(__file__).parent
REPOSITORY = FOLDER.parents[1]
ADMINS = [f"admin-{number}" for number in range(40)]
START_TIMEOUT_SECONDS = 240
UNLIMITED = {f"RATE_LIMIT_{kind}": "off" for kind in ("CALLER", "ADDRESS", "LOGIN", "LOGIN_ADDRESS", "REGISTRATION")}


@pytest.fixture
def system(private_postgres: LocalPostgres, tmp_path: Path) -> Iterator[str]:
    """The base URL of an embedded system in its own process."""
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
            process.wait(START_TIMEOUT_SECONDS)


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "the system does not start"
        time.sleep(0.1)


def register_admins(url: str) -> None:
    with httpx.Client(base_url=f"{url}/api/v1", timeout=START_TIMEOUT_SECONDS) as http:
        for username in ADMINS:
            account = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
            registered = http.post("/auth/admin/register", json=account)
            assert registered.status_code == 201, registered.text
            if username == ADMINS[0]:
                login = http.post("/auth/login", json={"username": username, "password": PASSWORD})
                http.headers["Authorization"] = f"Bearer {login.json()['access_token']}"


def run_schemathesis(url: str, *options: str, **environment: str) -> None:
    command = [str(Path(sys.executable).with_name("schemathesis")), "--no-color", "--config-file"]
    command += [str(FOLDER / "schemathesis.toml"), "run", f"{url}/openapi.json", *options]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    print(done.stdout[done.stdout.find("SUMMARY") :])
    assert done.returncode == 0, done.stdout


ADMIN_LOGIN = {
    "SCHEMATHESIS_HOOKS": str(FOLDER / "admin_accounts.py"),
    "FUZZ_USERNAMES": ",".join(ADMINS),
    "FUZZ_PASSWORD": PASSWORD,
}
REPEATABLE = ("--seed=1", "--generation-deterministic")


@pytest.mark.timeout(3600)
def test_every_response_to_admins_is_as_documented(system: str) -> None:
    register_admins(system)
    run_schemathesis(system, "--phases=coverage", *REPEATABLE, **ADMIN_LOGIN, FUZZ_URL=system)


@pytest.mark.timeout(3600)
def test_every_response_to_anonymous_requests_is_as_documented(system: str) -> None:
    register_admins(system)
    run_schemathesis(system, "--phases=coverage", "--mode=positive", *REPEATABLE)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_response_to_fuzzed_requests_is_as_documented(system: str) -> None:
    register_admins(system)
    max_time = f"--max-time={os.environ.get('FUZZ_SECONDS', '600')}"
    run_schemathesis(
        system, "--phases=examples,coverage,fuzzing", "--max-examples=200", max_time, **ADMIN_LOGIN, FUZZ_URL=system
    )
