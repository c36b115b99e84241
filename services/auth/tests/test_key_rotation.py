"""Rotation of signing keys without failing requests, and detection of another SECRET_KEY."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import asyncpg
import jwt
import pytest

from stockbuddy.auth.signing.keys import NoSigningKey
from stockbuddy.auth.signing.schedule import CLOCK_MARGIN, expired_keys, is_rotation_due, signing_key_at
from stockbuddy.chassis.http.tokens import JwksCache, TokenVerifier

OTHER_SECRET = "another-secret-key-of-the-operator"


async def published(auth: Any) -> list[str]:
    return [key["kid"] for key in (await auth.get("/.well-known/jwks.json")).json()["keys"]]


def kid_of(tokens: dict[str, Any]) -> str:
    kid: str = jwt.get_unverified_header(tokens["access_token"])["kid"]
    return kid


async def test_requests_during_rotation_succeed(another_auth: Any, auth_command: Any) -> None:
    """Two replicas, a verifier with its own key cache, as in every service, and a client that keeps refreshing."""
    async with another_auth() as one, another_auth() as other:
        tokens = await one.member()

        async def fetch() -> Any:
            return (await other.get("/.well-known/jwks.json")).json()

        verifier = TokenVerifier(JwksCache(fetch), issuer="stockbuddy", audience="stockbuddy")
        old_kid = kid_of(tokens)
        output = await auth_command("rotate-keys", SIGNING_KEY_ACTIVATION_DELAY_SECONDS="4")
        assert "is published and signs from" in output
        seen = {old_kid}
        async with asyncio.timeout(60):
            while len(seen) < 2:
                for replica in (one, other):
                    tokens = (await replica.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})).json()
                    seen.add(kid_of(tokens))
                    assert (await verifier.verify(tokens["access_token"])).user_id == tokens["user"]["id"]
                    for checked in (one, other):
                        assert (await checked.get("/auth/profile", token=tokens["access_token"])).status_code == 200
                await asyncio.sleep(0.05)
        assert set(await published(one)) == seen, "the old key stays while its tokens live"
        assert (await one.event_of_database("auth.signing_key.rotated"))["kid"] in seen - {old_kid}


async def test_old_key_is_rotated_automatically(auth: Any, another_auth: Any, database_url: str) -> None:
    first = await published(auth)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("UPDATE auth.signing_key SET signs_from = now() - interval '91 days'")
    finally:
        await connection.close()
    async with another_auth() as replica, asyncio.timeout(60):
        while len(await published(replica)) < 2:
            await asyncio.sleep(0.05)
        assert (await published(replica))[0] == first[0]
        rotated = await replica.event_of_database("auth.signing_key.rotated")
        delay = datetime.fromisoformat(rotated["signs_from"]) - datetime.now(UTC)
        assert timedelta(seconds=90) < delay < timedelta(seconds=121)


async def test_expired_key_is_deleted(another_auth: Any, auth_command: Any, database_url: str) -> None:
    async with another_auth() as auth:
        (old,) = await published(auth)
    await auth_command("rotate-keys", SIGNING_KEY_ACTIVATION_DELAY_SECONDS="1")
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("UPDATE auth.signing_key SET signs_from = signs_from - interval '1 hour'")
    finally:
        await connection.close()
    async with another_auth() as auth, asyncio.timeout(60):
        while old in await published(auth):
            await asyncio.sleep(0.05)
        assert len(await published(auth)) == 1
        assert kid_of(await auth.member()) in await published(auth)


async def test_other_secret_key_fails_start_until_keys_are_rotated(
    auth: Any, another_auth: Any, auth_command: Any
) -> None:
    tokens = await auth.member()
    with pytest.raises(NoSigningKey, match="rotate-keys"):
        async with another_auth(secret_key=OTHER_SECRET):
            pass
    await auth_command("rotate-keys", SECRET_KEY=OTHER_SECRET)
    async with another_auth(secret_key=OTHER_SECRET) as recovered:
        assert (await recovered.get("/auth/profile", token=tokens["access_token"])).status_code == 200
        fresh = (await recovered.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})).json()
        assert kid_of(fresh) != kid_of(tokens)
        assert (await recovered.get("/auth/profile", token=fresh["access_token"])).status_code == 200


async def test_production_with_default_or_short_secret_key_does_not_start(another_auth: Any) -> None:
    for secret in ("development-key-that-protects-nothing", "short"):
        with pytest.raises(ValueError, match=r"(?i)secret_key"):
            async with another_auth(env="production", secret_key=secret):
                pass


class Key(NamedTuple):
    kid: str
    signs_from: datetime


NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIFETIME = timedelta(minutes=15)


def test_schedule_over_a_year_always_has_a_published_signing_key() -> None:
    """At any moment one key signs, and the key of each token is published while the token lives."""
    keys = [Key(str(number), NOW + timedelta(days=90 * number)) for number in range(5)]
    moments = [NOW + timedelta(hours=hours) for hours in range(1, 24 * 365, 7)]
    moments += [key.signs_from + timedelta(seconds=seconds) for key in keys for seconds in (0, 1, 899, 960, 961)]
    for moment in sorted(moments):
        signing = signing_key_at(keys, moment)
        assert signing is not None
        assert signing.signs_from <= moment
        assert signing not in expired_keys(keys, moment, LIFETIME)
        assert signing not in expired_keys(keys, moment + LIFETIME, LIFETIME)
    for old, new in pairwise(keys):
        assert old not in expired_keys(keys, new.signs_from + LIFETIME + CLOCK_MARGIN, LIFETIME)
        assert old in expired_keys(keys, new.signs_from + LIFETIME + CLOCK_MARGIN + timedelta(seconds=1), LIFETIME)


def test_key_before_its_activation_is_not_rotated() -> None:
    keys = [Key("old", NOW - timedelta(days=90)), Key("new", NOW + timedelta(seconds=120))]
    assert is_rotation_due(keys[:1], NOW, timedelta(days=90))
    assert not is_rotation_due(keys, NOW, timedelta(days=90))
    assert not is_rotation_due([], NOW, timedelta(days=90))
