"""Both clients, one suite (`conformance.yaml`): what they do when the network or the server fails."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2 as httpx
import pytest
import yaml

from clients.tests.conftest import GuardedUser
from clients.tests.faulty_proxy import CLOSED_PORT, FaultyProxy
from clients.tests.node import NODE
from stockbuddy.chassis.testing.clients import PASSWORD, User, log_in
from stockbuddy.notifications.webhooks.body import to_event_body
from stockbuddy.notifications.webhooks.signatures import sign_headers

TESTS = Path(__file__).parent
CLIENTS = TESTS.parent
DRIVERS = {
    "python": [sys.executable, str(TESTS / "driver.py"), "sync"],
    "python-async": [sys.executable, str(TESTS / "driver.py"), "async"],
    "typescript": [NODE, str(TESTS / "driver.mjs")],
}
STEP_TIMEOUT_SECONDS = 90
Case = dict[str, Any]


def cases() -> Iterator[Any]:
    for case in yaml.safe_load((TESTS / "conformance.yaml").read_text(encoding="utf-8")):
        for each in case.get("each", [None]):
            label = f"{case['group']}: {case['name']}" + (f" ({json.dumps(each)})" if "each" in case else "")
            yield pytest.param({**case, "each": each}, id=label)


CASES = list(cases())


class Driver:
    """A process that runs steps with one client; started again after one that did not end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, step: Any) -> dict[str, Any]:
        process = self._process = self._process or await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(step).encode() + b"\n")
        try:
            async with asyncio.timeout(STEP_TIMEOUT_SECONDS):
                line = await process.stdout.readline()
            result: dict[str, Any] = json.loads(line)
        except (TimeoutError, ValueError):
            await self.stop()
            raise
        return result

    async def _start(self) -> asyncio.subprocess.Process:
        environment = {**os.environ, "PYTHONPATH": str(CLIENTS / "python/src")}
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *DRIVERS[self.name], stdin=pipe, stdout=pipe, env=environment, limit=2**22
        )

    async def stop(self) -> None:
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
            self._process = None


@pytest.fixture(
    scope="session",
    params=[
        "python",
        "typescript",
        pytest.param("python-async", marks=pytest.mark.slow),
    ],  # both Pythons have one source
)
async def driver(request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    assert (CLIENTS / "typescript/dist/index.js").exists(), "run `make clients`"
    driver = Driver(request.param)
    yield driver
    await driver.stop()


@pytest.fixture(scope="session")
async def proxy(direct: httpx.AsyncClient) -> AsyncIterator[FaultyProxy]:
    async with FaultyProxy(direct).running() as proxy:
        yield proxy


def server_delivery() -> dict[str, Any]:
    """A delivery as the server signs it."""
    secret = f"whsec_{base64.b64encode(b'secret of a webhook').decode()}"
    event = {"event_id": "evt-1", "event_type": "stock.sale.completed", "subject": "sale/1"}
    row = SimpleNamespace(
        field_permissions=None, **event, at=datetime.now(UTC), data='{"quantity": 1.250, "note": "München"}'
    )
    body = to_event_body(row)
    return {"headers": sign_headers("evt-1", body, [secret]), "body": body, "secret": secret}


async def credentials(kind: str, shop: dict[str, str], admin: User) -> dict[str, list[str]]:
    if kind == "none":
        return {}
    if kind == "client":
        return {"client": [shop["key_id"], shop["key"]]}
    if kind.endswith("session"):
        user = await log_in(admin.http, shop["username"])
        if kind == "ended session":
            await user.post("/auth/logout")
        return {"session": [user.tokens["access_token"], user.tokens["refresh_token"]]}
    return {
        "key": {"api_key": [shop["key"]]},
        "wrong key": {"api_key": ["sbk_wrong"]},
        "wrong client": {"client": [shop["key_id"], "wrong"]},
    }[kind]


def filled(part: Any, names: dict[str, Any]) -> Any:
    """The part with `{{name}}` and `{{name.field}}` replaced."""
    if isinstance(part, dict):
        return {filled(key, names): filled(value, names) for key, value in part.items()}
    if isinstance(part, list):
        return [filled(value, names) for value in part]
    if not isinstance(part, str):
        return part

    def look_up(path: str) -> Any:
        value: Any = names
        for name in path.split("."):
            value = value[name]
        return value

    if match := re.fullmatch(r"\{\{([\w.]+)\}\}", part):
        return look_up(match[1])
    return re.sub(r"\{\{([\w.]+)\}\}", lambda found: str(look_up(found[1])), part)


def includes(actual: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(k in actual and includes(actual[k], v) for k, v in expected.items())
    if isinstance(expected, list):
        return isinstance(actual, list) and len(actual) == len(expected) and all(map(includes, actual, expected))
    return bool(actual == expected)


def check_error(expected: dict[str, Any], error: dict[str, Any] | None) -> None:
    assert error is not None, "the step succeeded"
    expected = dict(expected)
    if parent := expected.pop("parents", None):
        assert parent in error["parents"], error
    if expected.pop("has_request_id", False):
        assert error["request_id"], error
    assert includes(error, expected), error


def check_step(step: dict[str, Any], result: dict[str, Any], seconds: float) -> None:
    if "error" in step:
        check_error(step["error"], result.get("error"))
    else:
        assert "error" not in result, result
    value: Any = result.get("value")
    if "expect" in step:
        assert includes(value, step["expect"]), value
    for name, number in step.get("number", {}).items():
        assert isinstance(value[name], str), f"{name} is not exact: {value}"
        assert float(value[name]) == float(number)
        assert value[name].rstrip("0").rstrip(".") == number.rstrip("0").rstrip(".") or "." not in number
    if "length" in step:
        assert len(value) == step["length"], value
    if "first" in step:
        assert includes(value[0], step["first"]), value[0]
    if "retries" in step:
        assert result["retries"] == step["retries"], result
    assert result["retries"] >= step.get("min_retries", 0)
    assert max(result["delays"], default=0) >= step.get("min_delay", 0)
    assert seconds <= step.get("max_seconds", 60)


def check_requests(case: Case, proxy: FaultyProxy) -> None:
    received = proxy.received
    posts = [request for request in received if request.method == "POST"]
    if "requests" in case:
        assert len(received) == case["requests"], [(one.method, one.path) for one in received]
    if case.get("same"):
        last = [one for one in posts if one.path == posts[-1].path]
        assert len({(one.body, one.headers["idempotency-key"]) for one in last}) == 1
    if "key" in case:
        assert {"idempotency-key" in one.headers for one in posts} == {case["key"] == "present"}
    if "if_match" in case:
        assert len([one for one in received if "if-match" in one.headers]) == case["if_match"]
    if "refreshes" in case:
        assert len([one for one in received if one.path == "/api/v1/auth/refresh"]) == case["refreshes"]


async def perform(step: dict[str, Any], driver: Driver, proxy: FaultyProxy, admin: User, names: dict[str, Any]) -> None:
    if step["op"] == "faults":
        proxy.faults = list(step["faults"])
    elif step["op"] == "other":
        assert (await admin.call(step["method"], step["path"], json=step.get("body"))).status_code < 300
    elif step["op"] == "head":
        head = await admin.call("GET", "/events", params={"after": "9" * 18})
        names["head"] = head.json()["head"]
    else:
        started = time.monotonic()
        result = await driver.run(step)
        check_step(step, result, time.monotonic() - started)
        if "as" in step:
            names[step["as"]] = result["value"]


@pytest.mark.parametrize("case", CASES)
async def test_client_conforms(
    case: Case, driver: Driver, proxy: FaultyProxy, admin: User, shop: dict[str, str], guarded_user: GuardedUser
) -> None:
    names: dict[str, Any] = {**shop, "password": PASSWORD, "unique": f"c-{uuid.uuid4().hex[:12]}", "each": case["each"]}
    names["delivery"] = server_delivery()
    names["guarded"] = guarded_user.username
    if case.get("takes_recovery_code"):
        names["recovery_code"] = guarded_user.recovery_codes.pop()
    given = await credentials(case.get("credentials", "key"), shop, admin)
    proxy.start_case(filled(case.get("faults", []), names))
    url = CLOSED_PORT if case.get("url") == "closed" else proxy.url
    await driver.run({"op": "reset"})
    await driver.run({"op": "connect", "url": url, "credentials": given, "timeout": case.get("timeout", 60)})
    for step in case["steps"]:
        await perform(filled(step, names), driver, proxy, admin, names)
    check_requests(case, proxy)
    if effect := filled(case.get("effect"), names):
        path, _, search = effect["path"].partition("?search=")
        assert (await admin.get(path, search=search))["total"] == effect["total"]


def test_suite_has_at_least_sixty_cases() -> None:
    assert len(CASES) >= 60
