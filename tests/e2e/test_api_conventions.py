"""Conventions of the API, through the gateway: request ids in every log, and cursors of lists."""

import re

import aiohttp
import pytest

from stockbuddy.chassis.runtime import access_log
from stockbuddy.chassis.testing.clients import User


async def test_client_request_id_is_in_the_log_of_every_service_it_reached(
    admin: User, base_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    token = f"Bearer {admin.tokens['access_token']}"
    await admin.call("GET", "/customers", headers={"X-Request-ID": "till-7/1"})
    await admin.call("GET", "/customers/999", headers={"X-Request-ID": "till-7/2"})
    async with (
        aiohttp.ClientSession(headers={"Authorization": token, "X-Request-ID": "till-7/3"}) as browser,
        browser.ws_connect(f"{base_url}/api/v1/ws?after=0") as socket,
    ):
        await socket.receive_str(timeout=60)
    logged: set[tuple[str, ...]] = set()

    async def read_log(_: object = None) -> bool:
        access_log.flush()
        for line in capsys.readouterr().err.splitlines():
            if "till-7/" in line and "request.completed" in line:
                fields = dict(re.findall(r"(\w+)=(\S+)", line))
                logged.add(tuple(fields[name] for name in ("request_id", "service", "method", "status", "caller")))
        return len(logged) == 6

    while not await read_log():
        await admin.get("/auth/profile")
    user = f"user:{admin.tokens['user']['id']}"
    assert logged == {
        (f"till-7/{number}", service, method, status, user)
        for number, method, status, owner in [
            ("1", "GET", "200", "stock"),
            ("2", "GET", "404", "stock"),
            ("3", "WEBSOCKET", "101", "notifications"),
        ]
        for service in ("gateway", owner)
    }


@pytest.mark.parametrize(
    ("path", "field"), [("/products", "name"), ("/customers", "name"), ("/suppliers", "name"), ("/categories", "name")]
)
async def test_cursor_carries_the_sort_order_of_its_list(admin: User, path: str, field: str) -> None:
    for name in ("Bowl", "Cup", "Ashtray"):
        body = {"name": name} | ({"sku": name, "unit_price": "1"} if path == "/products" else {})
        created = await admin.call("POST", path, json=body)
        assert created.status_code == 201, created.text
        assert created.headers["Location"] == f"/api/v1{path}/{created.json()['id']}"
    page = await admin.get(path, sort_by="name_desc", page_size=1)
    names = [page["items"][0][field]]
    while page["next_cursor"]:
        other = await admin.call("GET", path, params={"cursor": page["next_cursor"], "sort_by": "name_asc"})
        assert other.status_code == 422
        page = await admin.get(path, cursor=page["next_cursor"], page_size=1)
        names += [item[field] for item in page["items"]]
    assert names == ["Cup", "Bowl", "Ashtray"]
