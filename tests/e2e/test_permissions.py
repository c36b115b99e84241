"""Who may call what: every route of the document, by every role, so that a new route can't be forgotten."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.clients import User, log_in, register

RANKS = {"public": 0, "user": 1, "manager": 2, "admin": 3}
ENDS_THE_SESSION = {("post", "/auth/logout"), ("delete", "/auth/session")}
NEVER_ENDS = {("get", "/stream")}


@pytest.fixture
async def callers(http: httpx.AsyncClient, admin: User, salesperson: User) -> dict[int, User]:
    """By rank."""
    manager = await register(http, "mia")
    changed = await admin.call("PATCH", f"/users/{manager.tokens['user']['id']}", json={"role": "manager"})
    assert changed.status_code == 200, changed.text
    return {1: salesperson, 2: await log_in(http, "mia"), 3: admin}


def calls(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Method, path with something in each parameter's place, and permission."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            filled = re.sub(r"\{[^}]+\}", "999999", path).removeprefix("/api/v1")
            yield method, filled, operation["x-permission"]


async def test_every_route_is_refused_to_those_below_and_open_to_those_above(
    http: httpx.AsyncClient, callers: dict[int, User]
) -> None:
    document = (await http.get("/openapi.json")).json()
    wrong: list[str] = []
    checked = 0
    for method, path, permission in calls(document):
        if path.startswith("/.well-known"):
            continue
        needed = RANKS[permission]
        while (stranger := await http.request(method, f"/api/v1{path}")).status_code == 429 and needed > 0:
            await asyncio.sleep(0.1)  # Strangers have so many calls a second; so many logins a minute are an answer.
        if (stranger.status_code == 401) != (needed > 0) and stranger.status_code != 400:
            wrong.append(f"{method} {path} ({permission}) to a stranger: {stranger.status_code}")
        for rank, caller in callers.items():
            if rank >= needed and (method, path) in ENDS_THE_SESSION | NEVER_ENDS:
                continue
            status = (await caller.call(method, path)).status_code
            if (status == 403) != (rank < needed) or (status == 401 and needed > 0):
                wrong.append(f"{method} {path} ({permission}) to rank {rank}: {status}")
        checked += 1
    assert not wrong
    assert checked > 100
