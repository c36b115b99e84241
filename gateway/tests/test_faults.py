"""Unavailable, slow and broken services and replicas: the others keep working, and clients get an error quickly."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from starlette.types import Receive, Scope, Send

from stockbuddy.local_servers.ports import free_port

if TYPE_CHECKING:
    from gateway.tests.conftest import FakeService, Replica, Response, StartSystem


CONNECT_TIMEOUT_SECONDS = 2.0
"""Far longer than a refused connection takes."""


async def timed(call: Any) -> tuple[Response, float]:
    started_at = time.perf_counter()
    got = await call
    return got, time.perf_counter() - started_at


async def test_unreachable_service_is_503_at_once_and_others_keep_working(start_system: StartSystem) -> None:
    system = await start_system(connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS)
    await system.servers["catalog"].stop()
    for method in ("GET", "POST", "DELETE"):
        got = await system.call(method, "/api/v1/products")
        assert got.is_problem(503, "service_unavailable")
        assert int(got.headers["Retry-After"]) >= 1
        assert b"127.0.0.1" not in got.body
        assert str(system.servers["catalog"].port).encode() not in got.body
    answers = [await timed(system.get("/api/v1/products")) for _ in range(20)]
    assert {got.status for got, _ in answers} == {503}
    assert sorted(seconds for _, seconds in answers)[10] < CONNECT_TIMEOUT_SECONDS / 2
    for path in ("/api/v1/sales", "/api/v1/users", "/api/v1/events"):
        assert (await system.get(path)).status == 200


async def test_restarted_service_is_used_at_once(start_system: StartSystem) -> None:
    system = await start_system()
    await system.servers["catalog"].stop()
    for _ in range(5):
        assert (await system.get("/api/v1/products")).status == 503
    await system.servers["catalog"].start()

    assert [(await system.get("/api/v1/products")).status for _ in range(10)] == [200] * 10


async def test_unresponsive_host_costs_one_timeout_then_503_at_once(start_system: StartSystem) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:  # never accepted: once the backlog is full, handshakes time out
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        system = await start_system(catalog_url=url, connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS)
        first, _ = await timed(system.get("/api/v1/products"))
        assert first.is_problem(503, "service_unavailable")
        got, seconds = await timed(system.get("/api/v1/products"))
        assert got.is_problem(503, "service_unavailable")
        assert seconds < CONNECT_TIMEOUT_SECONDS / 2
        for filler in fillers:
            filler.close()


async def test_service_without_response_is_504_after_timeout(start_system: StartSystem) -> None:
    system = await start_system(response_timeout_seconds=0.2)
    left = asyncio.Event()

    async def handler(_: Scope, receive: Receive, __: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    system.catalog.handlers["/api/v1/products"] = handler
    for method in ("GET", "POST"):
        got, seconds = await timed(system.call(method, "/api/v1/products"))
        assert got.is_problem(504, "service_timeout")
        assert 0.2 <= seconds < 20  # rather than the default
    await asyncio.wait_for(left.wait(), 60)
    assert (await system.get("/api/v1/products/5")).status == 200


async def test_half_open_circuit_lets_one_request_through(start_system: StartSystem) -> None:
    system = await start_system(response_timeout_seconds=0.8)
    at_work: set[object] = set()
    most_at_once = 0

    async def handler(_: Scope, receive: Receive, __: Send) -> None:
        nonlocal most_at_once
        at_work.add(request := object())
        most_at_once = max(most_at_once, len(at_work))
        while (await receive())["type"] != "http.disconnect":
            pass
        at_work.remove(request)

    system.catalog.handlers["/api/v1/products"] = handler
    answers = await asyncio.gather(*(system.get("/api/v1/products") for _ in range(5)))
    assert {got.status for got in answers} == {504}
    await system.eventually(lambda: not at_work)
    most_at_once = 0
    trying: list[asyncio.Task[tuple[Response, float]]] = []

    def one_has_been_tried() -> bool:
        trying.append(asyncio.create_task(timed(system.get("/api/v1/products"))))
        return any(task.result()[0].status == 504 for task in trying if task.done())

    await system.eventually(one_has_been_tried)
    tried = await asyncio.gather(*trying)
    assert most_at_once == 1
    assert {got.status for got, seconds in tried if seconds < 0.8} == {503}


class Flaky:
    """Cuts the connection of the first `times` requests after receiving them."""

    def __init__(self, service: FakeService, path: str, times: int) -> None:
        self.arrived = 0
        self._times = times
        service.handlers[path] = self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.arrived += 1
        if self.arrived <= self._times:
            await receive()
            scope["transport"].abort()
        else:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})


async def test_broken_safe_request_is_repeated_up_to_the_limit(start_system: StartSystem) -> None:
    system = await start_system()
    flaky = Flaky(system.catalog, "/api/v1/products", times=2)
    assert (await system.get("/api/v1/products")).status == 200
    assert flaky.arrived == 3
    hopeless = Flaky(system.catalog, "/api/v1/products", times=1000)
    assert (await system.get("/api/v1/products")).is_problem(503, "service_unavailable")
    assert hopeless.arrived == 3


async def test_broken_unsafe_request_is_not_repeated(start_system: StartSystem) -> None:
    system = await start_system()
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        flaky = Flaky(system.catalog, "/api/v1/products/5", times=1)
        assert (await system.call(method, "/api/v1/products/5")).is_problem(503, "service_unavailable"), method
        assert flaky.arrived == 1
        assert (await system.call(method, "/api/v1/products/5")).status == 200


async def test_broken_post_with_idempotency_key_is_repeated(start_system: StartSystem) -> None:
    system = await start_system()
    flaky = Flaky(system.catalog, "/api/v1/products", times=2)
    headers = {**system.auth.bearer(), "Idempotency-Key": "till-1-0001"}
    assert (await system.call("POST", "/api/v1/products", headers=headers)).status == 200
    assert flaky.arrived == 3


async def test_broken_anonymous_post_with_idempotency_key_is_not_repeated(start_system: StartSystem) -> None:
    """A refresh token is for single use: a repeated refresh would end the session."""
    system = await start_system()
    flaky = Flaky(system.auth, "/api/v1/auth/refresh", times=1)
    got = await system.call("POST", "/api/v1/auth/refresh", headers={"Idempotency-Key": "till-1-0001"})
    assert got.is_problem(503, "service_unavailable")
    assert flaky.arrived == 1


@pytest.mark.parametrize("framing", [(b"content-length", b"20"), (b"x-framing", b"chunked")])
async def test_service_that_fails_between_head_and_body_is_503(
    start_system: StartSystem, framing: tuple[bytes, bytes]
) -> None:
    """The client accepts compressed responses, so the gateway has sent nothing of the head."""
    system = await start_system()
    arrived = 0

    async def handler(_: Scope, receive: Receive, send: Send) -> None:
        nonlocal arrived
        arrived += 1
        await receive()
        headers = [(b"content-type", b"application/json"), framing]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    system.catalog.handlers["/api/v1/products"] = handler
    got = await system.call("POST", "/api/v1/products")
    assert got.is_problem(503, "service_unavailable")
    assert (int(got.headers["Retry-After"]), arrived) == (1, 1)
    await system.get("/api/v1/products")
    assert arrived == (4 if framing[0] == b"content-length" else 2), "a safe request is repeated while nothing was sent"


async def test_idle_connection_closed_by_service_is_replaced(start_system: StartSystem) -> None:
    system = await start_system()
    assert (await system.get("/api/v1/products")).status == 200
    await system.servers["catalog"].stop()
    await system.servers["catalog"].start()
    for method in ("POST", "GET"):
        assert (await system.call(method, "/api/v1/products")).status == 200


# Replicas


async def test_requests_are_spread_over_replicas(start_system: StartSystem, replicas: list[Replica]) -> None:
    system = await start_system(catalog_url=",".join(replica.url for replica in replicas))
    await asyncio.gather(*(system.get("/api/v1/products") for _ in range(60)))
    counts = [len(replica.service.seen) for replica in replicas]
    assert sum(counts) == 60
    assert min(counts) >= 10


async def test_busy_replica_receives_fewer_requests(start_system: StartSystem, replicas: list[Replica]) -> None:
    arrived, release = asyncio.Semaphore(0), asyncio.Event()

    async def slow(_: Scope, __: Receive, send: Send) -> None:
        arrived.release()
        await release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    for replica in replicas:
        replica.service.handlers["/api/v1/products/slow"] = slow
    system = await start_system(catalog_url=",".join(replica.url for replica in replicas))
    occupying = [asyncio.create_task(system.get("/api/v1/products/slow")) for _ in range(2)]
    for _ in occupying:
        await arrived.acquire()
    for _ in range(9):
        assert (await system.get("/api/v1/products")).status == 200
    release.set()
    await asyncio.gather(*occupying)
    assert sorted(len(replica.service.seen) for replica in replicas) == [0, 0, 9]  # the idle one


async def test_unreachable_replica_fails_no_request(start_system: StartSystem, replicas: list[Replica]) -> None:
    system = await start_system(catalog_url=",".join(replica.url for replica in replicas))
    for replica in replicas[:-1]:
        await replica.server.stop()
        for method in ("GET", "POST", "PUT", "DELETE"):
            statuses = [(await system.call(method, "/api/v1/products/5")).status for _ in range(8)]
            assert statuses == [200] * 8
    # The first has restarted when the last one stops, although its circuit is still open.
    await replicas[0].server.start()
    await replicas[-1].server.stop()
    statuses = [(await system.call(method, "/api/v1/products/5")).status for method in ("GET", "POST", "PUT")]
    assert statuses == [200] * 3


async def test_host_name_with_several_addresses_is_several_replicas(start_system: StartSystem) -> None:
    # `localhost` is ::1 and 127.0.0.1, or only the latter; nothing listens at ::1.
    system = await start_system()
    port = system.servers["catalog"].port
    named = await start_system(catalog_url=f"http://localhost:{port}")
    named.services["catalog"] = system.catalog
    assert [(await named.get("/api/v1/products")).status for _ in range(10)] == [200] * 10
    assert len(system.catalog.seen) == 10


async def test_unknown_host_name_is_an_unavailable_service(start_system: StartSystem) -> None:
    system = await start_system(catalog_url="http://catalog.invalid:8002")
    got = await system.get("/api/v1/products")
    assert got.is_problem(503, "service_unavailable")
    assert b"invalid" not in got.body


async def test_auth_outage_keeps_verified_callers_and_is_503_for_logins(start_system: StartSystem) -> None:
    system = await start_system()
    known = system.auth.bearer()
    assert (await system.get("/api/v1/products", headers=known)).status == 200
    await system.servers["auth"].stop()
    assert (await system.get("/api/v1/products", headers=known)).status == 200
    assert (await system.call("POST", "/api/v1/auth/login", headers={}, json={})).is_problem(503, "service_unavailable")


async def test_gateway_that_starts_before_auth_serves_once_auth_does(start_system: StartSystem) -> None:
    port = free_port()
    system = await start_system(wait_for_sessions=False, auth_url=f"http://127.0.0.1:{port}")
    caller, auth = system.auth.bearer(), system.servers["auth"]
    assert (await system.get("/health/live")).status == 200
    assert (await system.get("/api/v1/products", headers=caller)).is_problem(503, "service_unavailable")
    await auth.stop()
    auth.port = port
    await auth.start()

    async def served() -> bool:
        return (await system.get("/api/v1/products", headers=caller)).status == 200

    await system.eventually(served)
