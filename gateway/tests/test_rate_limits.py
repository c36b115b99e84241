"""Rate limits of one gateway, and of several replicas that share their counters."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.tests.conftest import Response, StartSystem, System
    from stockbuddy.chassis.testing.valkey import PrivateValkey


def is_rejection(got: Response, limit: int) -> bool:
    assert got.is_problem(429, "rate_limited")
    assert got.headers["RateLimit-Limit"] == str(limit)
    assert got.headers["RateLimit-Remaining"] == "0"
    assert 1 <= int(got.headers["Retry-After"]) <= 60
    assert got.headers["Retry-After"] == got.headers["RateLimit-Reset"]
    return True


async def test_caller_is_limited_independently_of_others(mode: str, start_system: StartSystem) -> None:
    # The first call of every system counts for user 7.
    system = await start_system(mode, rate_limit_caller="5/minute")
    ann, bob = system.auth.bearer(sub="8"), system.auth.bearer(sub="9")
    for left in (4, 3, 2, 1, 0):
        got = await system.get("/api/v1/products", headers=ann)
        assert (got.status, got.headers["RateLimit-Limit"], got.headers["RateLimit-Remaining"]) == (200, "5", str(left))
        assert 1 <= int(got.headers["RateLimit-Reset"]) <= 60
    assert is_rejection(await system.get("/api/v1/sales", headers=ann), 5)
    other_token = system.auth.bearer(sub="8")
    assert is_rejection(await system.get("/api/v1/products", headers=other_token), 5)
    assert (await system.get("/api/v1/products", headers=bob)).status == 200
    assert (await system.get("/api/v1/products", headers=system.auth.bearer(sub="8", sid="key:3"))).status == 200


async def test_rate_limit_resets_after_its_window(start_system: StartSystem) -> None:
    system = await start_system("direct", rate_limit_caller="2/second")
    headers = system.auth.bearer(sub="8")
    statuses = [(await system.get("/api/v1/products", headers=headers)).status for _ in range(4)]
    assert statuses == [200, 200, 429, 429]

    async def again() -> bool:
        return (await system.get("/api/v1/products", headers=headers)).status == 200

    await system.eventually(again)


async def test_anonymous_requests_are_limited_by_address(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, rate_limit_address="6/minute", trusted_proxies="127.0.0.1")
    calls: list[tuple[str, str, dict[str, str]]] = [
        ("GET", "/api/v1/products", {}),
        ("GET", "/api/v1/products", {"Authorization": "Bearer forged"}),
        ("POST", "/api/v1/auth/register", {}),
    ]
    for _ in range(2):
        for method, path, headers in calls:
            got = await system.call(method, path, headers={**headers, "X-Forwarded-For": "203.0.113.1"})
            assert got.status in (200, 401)
    for method, path, headers in calls:
        got = await system.call(method, path, headers={**headers, "X-Forwarded-For": "203.0.113.1"})
        assert is_rejection(got, 6)
    assert (await system.get("/api/v1/products", headers={"X-Forwarded-For": "203.0.113.2"})).status == 401
    known = {**system.auth.bearer(), "X-Forwarded-For": "203.0.113.1"}
    assert (await system.get("/api/v1/products", headers=known)).status == 200


async def test_ipv6_network_shares_an_anonymous_limit(start_system: StartSystem) -> None:
    system = await start_system("direct", rate_limit_address="2/minute", trusted_proxies="127.0.0.1")

    async def status_for(address: str) -> int:
        return (await system.get("/api/v1/products", headers={"X-Forwarded-For": address})).status

    assert [await status_for(f"2001:db8::{host}") for host in (1, 2, 3)] == [401, 401, 429]
    assert await status_for("2001:db8:0:1::1") == 401


LOGINS: list[tuple[str, dict[str, Any]]] = [
    ("/auth/login", {"json": {"username": "ann", "password": "x"}}),
    ("/auth/login", {"json": {"username": " ANN ", "password": "x"}}),
    ("/auth/login", {"data": {"username": "ann", "password": "x"}}),
    ("/auth/login", {"data": "username=bob&password=x&username=ann", "form": True}),
    ("/auth/login", {"data": '{"username": "bob", "password": "x", "username": "ann"}'}),
    ("/auth/login-json", {"json": {"username": "ann", "password": "x"}}),
    ("/auth/token", {"data": {"grant_type": "password", "username": "ann", "password": "x"}}),
    ("/auth/admin/login", {"json": {"username": "ann", "password": "x"}}),
    ("/auth/salesperson", {"json": {"email": "ann", "password": "x"}}),
    ("/auth/session", {"json": {"username": "ann", "password": "x"}}),
    ("/auth/password/forgot", {"json": {"email": "ann"}}),
]


async def test_logins_are_limited_by_account_and_address_in_every_format(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, rate_limit_login=f"{len(LOGINS)}/minute", trusted_proxies="127.0.0.1")

    async def log_in(path: str, options: dict[str, Any], address: str = "203.0.113.1") -> Response:
        options = dict(options)
        form = {"Content-Type": "application/x-www-form-urlencoded"} if options.pop("form", False) else {}
        return await system.call("POST", f"/api/v1{path}", headers={"X-Forwarded-For": address, **form}, **options)

    for path, options in LOGINS:
        assert (await log_in(path, options)).status == 200, path
    arrived = len(system.auth.seen)
    for path, options in LOGINS:
        assert is_rejection(await log_in(path, options), len(LOGINS)), path
    assert len(system.auth.seen) == arrived
    other = {"json": {"username": "bob", "password": "x"}}
    assert (await log_in("/auth/login", other)).status == 200
    assert (await log_in(*LOGINS[0], address="203.0.113.2")).status == 200


async def test_login_body_is_forwarded_unchanged(system: System) -> None:
    body = b'{"username": "ann",  "password": "\xc3\xa9"}'
    got = await system.call("POST", "/api/v1/auth/login", headers={"Content-Type": "application/json"}, data=body)
    assert (got.status, system.auth.last.body) == (200, body)
    assert system.auth.last.values("content-type") == ["application/json"]


async def test_malformed_logins_share_a_limit_and_oauth_clients_have_their_own(
    start_system: StartSystem,
) -> None:
    system = await start_system("direct", rate_limit_login="3/minute")
    half_a_pair = b'{"username": "\\ud800"}'  # of surrogates: valid JSON, but not encodable as UTF-8
    assert (await system.call("POST", "/api/v1/auth/login", headers={}, data=half_a_pair)).status == 200
    for body in (b"{", b"[]", b"\xff\xfe"):
        assert (await system.call("POST", "/api/v1/auth/login", headers={}, data=body)).status == 200
    assert is_rejection(await system.call("POST", "/api/v1/auth/login", headers={}, data=b"nonsense"), 3)
    for client in ("till-1", "till-2"):
        basic = {"Authorization": "Basic " + base64.b64encode(f"{client}:secret".encode()).decode()}
        form = {"grant_type": "client_credentials"}
        for _ in range(3):
            assert (await system.call("POST", "/api/v1/auth/token", headers=basic, data=form)).status == 200
        assert is_rejection(await system.call("POST", "/api/v1/auth/token", headers=basic, data=form), 3)


async def test_token_requests_without_password_are_not_limited_as_logins(start_system: StartSystem) -> None:
    """Many tills behind one address poll and refresh with one client id; a password in the same path still counts."""
    system = await start_system("direct", rate_limit_login="2/minute", rate_limit_login_address="4/minute")
    for grant_type in ("authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"):
        for _ in range(3):
            form = {"grant_type": grant_type, "client_id": "app-1"}
            assert (await system.call("POST", "/api/v1/auth/token", data=form)).status == 200
    for form in ({"grant_type": "password", "username": "ann"}, {"username": "ann"}):
        assert (await system.call("POST", "/api/v1/auth/token", data=form)).status == 200
    disguised = {"grant_type": "refresh_token", "username": "ann", "password": "x"}
    assert is_rejection(await system.call("POST", "/api/v1/auth/login", data=disguised), 2)


async def test_password_guessing_is_limited_and_does_not_affect_other_callers(start_system: StartSystem) -> None:
    system = await start_system("http")
    login = {"username": "victim", "password": "guess"}
    answers = await asyncio.gather(
        *(system.call("POST", "/api/v1/auth/login", headers={}, json=login) for _ in range(100))
    )
    assert sum(got.status == 200 for got in answers) == 10  # reached auth
    assert (await system.get("/api/v1/products")).status == 200


async def test_rate_limits_can_be_switched_off(mode: str, start_system: StartSystem) -> None:
    off = dict.fromkeys(("rate_limit_caller", "rate_limit_address", "rate_limit_login"), "off")
    system = await start_system(mode, **off)
    login = {"json": {"username": "ann", "password": "x"}, "headers": {}}
    for _ in range(60):
        got = await system.call("POST", "/api/v1/auth/login", **login)
        assert got.status == 200
        assert "RateLimit-Limit" not in got.headers
    assert "RateLimit-Limit" not in (await system.get("/api/v1/products")).headers


# Several replicas


async def test_replicas_with_redis_share_counters(start_system: StartSystem, private_valkey: PrivateValkey) -> None:
    limits = {"rate_limit_caller": "10/minute", "rate_limit_url": private_valkey.url}
    first = await start_system("direct", **limits)
    second = await start_system("direct", **limits)
    accepted = 0
    for _ in range(10):
        for system in (first, second):
            got = await system.get("/api/v1/products", headers=system.auth.bearer(sub="8"))
            accepted += got.status == 200
            assert 1 <= int(got.headers["RateLimit-Reset"]) <= 60
    assert accepted == 10


async def test_redis_outage_makes_each_replica_count_alone(
    start_system: StartSystem, private_valkey: PrivateValkey
) -> None:
    system = await start_system("direct", rate_limit_caller="5/minute", rate_limit_url=private_valkey.url)
    headers = system.auth.bearer(sub="8")
    assert (await system.get("/api/v1/products", headers=headers)).status == 200
    private_valkey.stop()
    statuses = [(await system.get("/api/v1/products", headers=headers)).status for _ in range(10)]
    assert statuses == [200] * 5 + [429] * 5
    private_valkey.start()

    async def counted_together_again() -> bool:
        got = await system.get("/api/v1/products", headers=system.auth.bearer(sub="8"))
        return got.status == 200  # the restarted server has lost the count

    await system.eventually(counted_together_again)
