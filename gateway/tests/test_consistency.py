"""`X-Consistency` between clients and services with read replicas: the gateway keeps the positions of each caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gateway.tests.conftest import FakeService, System

EVENT_ID = "01a229ff-4751-72c9-9613-159003883062"


def let_writes_respond_with(service: FakeService, path: str, token: str) -> None:
    """POSTs get this `X-Consistency`; other requests are described as usual."""

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await service.echo(scope, receive, send)
            return
        headers = [(b"content-length", b"0"), (b"x-consistency", token.encode())]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    service.handlers[path] = respond


async def test_reads_of_a_caller_require_the_highest_positions_of_its_writes(system: System) -> None:
    ann, bob = system.auth.bearer(), system.auth.bearer(sub="8", username="bob")
    let_writes_respond_with(system.stock, "/api/v1/sales", f"{EVENT_ID},stock@1F")
    written = await system.call("POST", "/api/v1/sales", headers=ann)
    assert written.headers["X-Consistency"] == f"{EVENT_ID},stock@1F"
    let_writes_respond_with(system.stock, "/api/v1/sales", "stock@A")
    await system.call("POST", "/api/v1/sales", headers=ann)
    let_writes_respond_with(system.catalog, "/api/v1/products", "catalog@2")
    await system.call("POST", "/api/v1/products", headers=ann)

    for method in ("GET", "HEAD"):
        await system.call(method, "/api/v1/sales", headers=ann)
        assert system.stock.last.values("x-consistency") == ["stock@1F,catalog@2"]
    await system.get("/api/v1/sales", headers=system.auth.bearer())
    assert system.stock.last.value("x-consistency") == "stock@1F,catalog@2", "another session of the user"
    await system.get("/api/v1/sales", headers={**ann, "X-Consistency": "stock@FF"})
    assert system.stock.last.values("x-consistency") == ["stock@FF", "stock@1F,catalog@2"]
    await system.call("PATCH", "/api/v1/sales/1", headers=ann)
    assert system.stock.last.values("x-consistency") == []
    await system.get("/api/v1/sales", headers=bob)
    assert system.stock.last.values("x-consistency") == []


async def test_reads_require_nothing_without_positions(system: System) -> None:
    let_writes_respond_with(system.stock, "/api/v1/sales", EVENT_ID)
    headers = system.auth.bearer()
    await system.call("POST", "/api/v1/sales", headers=headers)
    await system.get("/api/v1/sales", headers=headers)
    assert system.stock.last.values("x-consistency") == []
