"""When a service or a replica is gone, slow or broken: the rest goes on, and clients hear of it quickly."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Any

from starlette.types import Receive, Scope, Send

if TYPE_CHECKING:
    from gateway.tests.conftest import Got, MadeUpService, Replica, StartSystem


async def timed(call: Any) -> tuple[Got, float]:
    began_at = time.perf_counter()
    got = await call
    return got, time.perf_counter() - began_at


async def test_a_dead_service_is_503_quickly_and_the_others_go_on(start_system: StartSystem) -> None:
    system = await start_system()
    await system.listening["catalog"].stop()
    for method in ("GET", "POST", "DELETE"):
        got = await system.call(method, "/api/v1/products")
        assert got.is_problem(503, "service_unavailable")
        assert int(got.headers["Retry-After"]) >= 1
        assert b"127.0.0.1" not in got.body
        assert str(system.listening["catalog"].port).encode() not in got.body
    answers = [await timed(system.get("/api/v1/products")) for _ in range(20)]
    assert {got.status for got, _ in answers} == {503}
    assert sorted(seconds for _, seconds in answers)[10] < 0.05
    for path in ("/api/v1/sales", "/api/v1/users", "/api/v1/events"):
        assert (await system.get(path)).status == 200


async def test_a_service_that_comes_back_is_used_again_at_once(start_system: StartSystem) -> None:
    system = await start_system()
    await system.listening["catalog"].stop()
    for _ in range(5):
        assert (await system.get("/api/v1/products")).status == 503
    await system.listening["catalog"].start()

    assert [(await system.get("/api/v1/products")).status for _ in range(10)] == [200] * 10


async def test_a_host_that_swallows_connections_costs_one_wait_then_503_at_once(start_system: StartSystem) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:  # nobody accepts: once the backlog is full, handshakes go unanswered
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        system = await start_system(catalog_url=url, connect_timeout_seconds=0.3)
        first, _ = await timed(system.get("/api/v1/products"))
        assert first.is_problem(503, "service_unavailable")
        got, seconds = await timed(system.get("/api/v1/products"))
        assert got.is_problem(503, "service_unavailable")
        assert seconds < 0.05
        for filler in fillers:
            filler.close()


async def test_a_service_that_never_answers_is_504_after_a_while(start_system: StartSystem) -> None:
    system = await start_system(response_timeout_seconds=0.2)
    left = asyncio.Event()

    async def play(_: Scope, receive: Receive, __: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    system.catalog.plays["/api/v1/products"] = play
    for method in ("GET", "POST"):
        got, seconds = await timed(system.call(method, "/api/v1/products"))
        assert got.is_problem(504, "service_timeout")
        assert 0.2 <= seconds < 2
    await asyncio.wait_for(left.wait(), 5)
    assert (await system.get("/api/v1/products/5")).status == 200


async def test_a_frozen_service_is_tried_by_one_request_at_a_time(start_system: StartSystem) -> None:
    system = await start_system(response_timeout_seconds=0.8)
    at_work: set[object] = set()
    most_at_once = 0

    async def play(_: Scope, receive: Receive, __: Send) -> None:
        nonlocal most_at_once
        at_work.add(request := object())
        most_at_once = max(most_at_once, len(at_work))
        while (await receive())["type"] != "http.disconnect":
            pass
        at_work.remove(request)

    system.catalog.plays["/api/v1/products"] = play
    answers = await asyncio.gather(*(system.get("/api/v1/products") for _ in range(5)))
    assert {got.status for got in answers} == {504}
    await system.eventually(lambda: not at_work)
    most_at_once = 0
    trying: list[asyncio.Task[tuple[Got, float]]] = []

    def one_has_been_tried() -> bool:
        trying.append(asyncio.create_task(timed(system.get("/api/v1/products"))))
        return any(task.result()[0].status == 504 for task in trying if task.done())

    await system.eventually(one_has_been_tried, seconds=15)
    tried = await asyncio.gather(*trying)
    assert most_at_once == 1
    assert {got.status for got, seconds in tried if seconds < 0.8} == {503}


class Flaky:
    """Cuts the connection of the first `times` requests, after they have arrived."""

    def __init__(self, service: MadeUpService, path: str, times: int) -> None:
        self.arrived = 0
        self._times = times
        service.plays[path] = self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.arrived += 1
        if self.arrived <= self._times:
            await receive()
            scope["transport"].abort()
        else:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})


async def test_safe_requests_are_repeated_a_bounded_number_of_times(start_system: StartSystem) -> None:
    system = await start_system()
    flaky = Flaky(system.catalog, "/api/v1/products", times=2)
    assert (await system.get("/api/v1/products")).status == 200
    assert flaky.arrived == 3
    hopeless = Flaky(system.catalog, "/api/v1/products", times=1000)
    assert (await system.get("/api/v1/products")).is_problem(503, "service_unavailable")
    assert hopeless.arrived == 3


async def test_what_may_have_had_an_effect_is_never_repeated(start_system: StartSystem) -> None:
    system = await start_system()
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        flaky = Flaky(system.catalog, "/api/v1/products/5", times=1)
        assert (await system.call(method, "/api/v1/products/5")).is_problem(503, "service_unavailable"), method
        assert flaky.arrived == 1
        assert (await system.call(method, "/api/v1/products/5")).status == 200


async def test_a_post_with_an_idempotency_key_is_repeated(start_system: StartSystem) -> None:
    system = await start_system()
    flaky = Flaky(system.catalog, "/api/v1/products", times=2)
    headers = {**system.auth.bearer(), "Idempotency-Key": "till-1-0001"}
    assert (await system.call("POST", "/api/v1/products", headers=headers)).status == 200
    assert flaky.arrived == 3


async def test_a_key_without_a_caller_repeats_nothing(start_system: StartSystem) -> None:
    """The tokens of a refresh are exchanged once: asked for twice, the session would end."""
    system = await start_system()
    flaky = Flaky(system.auth, "/api/v1/auth/refresh", times=1)
    got = await system.call("POST", "/api/v1/auth/refresh", headers={"Idempotency-Key": "till-1-0001"})
    assert got.is_problem(503, "service_unavailable")
    assert flaky.arrived == 1


async def test_a_kept_connection_that_the_service_closed_is_replaced_unseen(start_system: StartSystem) -> None:
    system = await start_system()
    assert (await system.get("/api/v1/products")).status == 200
    await system.listening["catalog"].stop()
    await system.listening["catalog"].start()
    for method in ("POST", "GET"):
        assert (await system.call(method, "/api/v1/products")).status == 200


# Replicas


async def test_requests_are_spread_over_replicas(start_system: StartSystem, replicas: list[Replica]) -> None:
    system = await start_system(catalog_url=",".join(replica.url for replica in replicas))
    await asyncio.gather(*(system.get("/api/v1/products") for _ in range(60)))
    counts = [len(replica.service.seen) for replica in replicas]
    assert sum(counts) == 60
    assert min(counts) >= 10


async def test_a_busy_replica_gets_less(start_system: StartSystem, replicas: list[Replica]) -> None:
    arrived, release = asyncio.Semaphore(0), asyncio.Event()

    async def slow(_: Scope, __: Receive, send: Send) -> None:
        arrived.release()
        await release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    for replica in replicas:
        replica.service.plays["/api/v1/products/slow"] = slow
    system = await start_system(catalog_url=",".join(replica.url for replica in replicas))
    occupying = [asyncio.create_task(system.get("/api/v1/products/slow")) for _ in range(2)]
    for _ in occupying:
        await arrived.acquire()
    for _ in range(9):
        assert (await system.get("/api/v1/products")).status == 200
    release.set()
    await asyncio.gather(*occupying)
    assert sorted(len(replica.service.seen) for replica in replicas) == [0, 0, 9]  # the one that was free


async def test_while_a_replica_is_down_nobody_notices(start_system: StartSystem, replicas: list[Replica]) -> None:
    system = await start_system(catalog_url=",".join(replica.url for replica in replicas))
    for replica in replicas[:-1]:
        await replica.listening.stop()
        for method in ("GET", "POST", "PUT", "DELETE"):
            statuses = [(await system.call(method, "/api/v1/products/5")).status for _ in range(8)]
            assert statuses == [200] * 8
    # The first is there again when the last leaves, though nobody has tried it since.
    await replicas[0].listening.start()
    await replicas[-1].listening.stop()
    statuses = [(await system.call(method, "/api/v1/products/5")).status for method in ("GET", "POST", "PUT")]
    assert statuses == [200] * 3


async def test_a_name_with_several_addresses_is_several_replicas(start_system: StartSystem) -> None:
    # `localhost` is ::1 and 127.0.0.1 here or just the latter; nobody listens at ::1.
    system = await start_system()
    port = system.listening["catalog"].port
    named = await start_system(catalog_url=f"http://localhost:{port}")
    named.services["catalog"] = system.catalog
    assert [(await named.get("/api/v1/products")).status for _ in range(10)] == [200] * 10
    assert len(system.catalog.seen) == 10


async def test_a_name_that_is_not_known_is_an_unavailable_service(start_system: StartSystem) -> None:
    system = await start_system(catalog_url="http://catalog.invalid:8002")
    got = await system.get("/api/v1/products")
    assert got.is_problem(503, "service_unavailable")
    assert b"invalid" not in got.body


async def test_without_auth_nobody_gets_in_who_is_not_known_but_it_is_no_401(start_system: StartSystem) -> None:
    system = await start_system()
    known = system.auth.bearer()
    assert (await system.get("/api/v1/products", headers=known)).status == 200
    await system.listening["auth"].stop()
    assert (await system.get("/api/v1/products", headers=known)).status == 200
    assert (await system.call("POST", "/api/v1/auth/login", headers={}, json={})).is_problem(503, "service_unavailable")
