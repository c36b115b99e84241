"""Permissions of every operation in the OpenAPI document, checked with every role, so that no route is left out."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.clients import User, log_in, register

RANKS = {"public": 0, "user": 1, "manager": 2, "admin": 3}
ENDS_THE_SESSION = {("post", "/auth/logout"), ("delete", "/auth/session")}
STREAMS = {("get", "/stream")}
SIGNED = {("get", "/products/999999/image")}
"""Without credentials the URL must carry a signature."""


@pytest.fixture
async def callers(http: httpx.AsyncClient, admin: User, salesperson: User) -> dict[int, User]:
    """Users by rank."""
    manager = await register(http, "mia")
    changed = await admin.call("PATCH", f"/users/{manager.tokens['user']['id']}", json={"role": "manager"})
    assert changed.status_code == 200, changed.text
    return {1: salesperson, 2: await log_in(http, "mia"), 3: admin}


def calls(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Method, path with a value for each parameter, and permission."""
    for path, item in document["paths"].items():
        for method, operation in item.items() if path.startswith("/api/") and not path.endswith("/ws") else ():
            filled = re.sub(r"\{[^}]+\}", "999999", path).removeprefix("/api/v1")
            yield method, filled, operation["x-permission"]


async def test_operation_is_forbidden_below_its_role_and_allowed_from_it(
    http: httpx.AsyncClient, callers: dict[int, User]
) -> None:
    document = (await http.get("/openapi.json")).json()
    wrong: list[str] = []
    checked = 0
    for method, path, permission in calls(document):
        required = RANKS[permission]
        while (anonymous := await http.request(method, f"/api/v1{path}")).status_code == 429 and required > 0:
            await asyncio.sleep(0.1)  # anonymous rate limit; a login's limit is a response to check
        is_rejected = required > 0 or (method, path) in SIGNED
        if (anonymous.status_code == 401) != is_rejected and anonymous.status_code != 400:
            wrong.append(f"{method} {path} ({permission}) anonymously: {anonymous.status_code}")
        for rank, caller in callers.items():
            if rank >= required and (method, path) in ENDS_THE_SESSION | STREAMS:
                continue
            status = (await caller.call(method, path)).status_code
            if (status == 403) != (rank < required) or (status == 401 and required > 0):
                wrong.append(f"{method} {path} ({permission}) as rank {rank}: {status}")
        checked += 1
    assert not wrong
    assert checked > 100
