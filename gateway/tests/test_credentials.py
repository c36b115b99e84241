"""Bearer tokens: forged, expired and revoked ones are rejected; public paths need none."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from stockbuddy.chassis.http.tokens import CLOCK_LEEWAY_SECONDS

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gateway.tests.conftest import FakeAuth, StartSystem, System

PUBLIC = [
    "/auth/register", "/auth/login", "/auth/login-json", "/auth/token", "/auth/refresh", "/auth/password/forgot",
    "/auth/password/reset", "/auth/admin/register", "/auth/admin/login", "/auth/salesperson", "/auth/session",
]  # fmt: skip


def _part(document: Any) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=")


def _hs256(header: dict[str, str], claims: dict[str, Any], secret: bytes) -> str:
    """By hand, because libraries refuse to sign with a public key as the secret."""
    signed = _part(header) + b"." + _part(claims)
    signature = base64.urlsafe_b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).rstrip(b"=")
    return (signed + b"." + signature).decode()


def forged_tokens(auth: FakeAuth) -> dict[str, str]:
    """Each lacks one property of a valid token."""
    now = int(time.time())
    good = auth.claims()
    header = {"alg": "EdDSA", "typ": "at+jwt", "kid": auth.key_id}
    head, body, signature = auth.token().split(".")
    raw = auth.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    pem = auth.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    stranger = Ed25519PrivateKey.generate()
    stranger_raw = stranger.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    stranger_jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(stranger_raw).decode().rstrip("=")}

    def signed(claims: dict[str, Any], key: Any = auth.key, algorithm: str = "EdDSA", **changes: Any) -> str:
        given = {**header, "alg": algorithm, **changes}
        return jwt.encode(claims, key, algorithm, headers={name: value for name, value in given.items() if value})

    def without(claim: str) -> str:
        return signed({name: value for name, value in good.items() if name != claim})

    return {
        "no algorithm": f"{_part({**header, 'alg': 'none'}).decode()}.{body}.",
        "no algorithm, in capitals": f"{_part({**header, 'alg': 'NONE'}).decode()}.{body}.",
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "HS256 with the public key": _hs256({**header, "alg": "HS256"}, good, raw),
        "HS256 with the public key as PEM": _hs256({**header, "alg": "HS256"}, good, pem),
        "HS256 with nothing": _hs256({**header, "alg": "HS256"}, good, b""),
        "another's Ed25519 key": signed(good, stranger),
        "another's key named in the header": signed(good, stranger, jwk=json.dumps(stranger_jwk)),
        "another's RSA key": signed(good, rsa.generate_private_key(65537, 2048), "RS256"),
        "another's EC key": signed(good, ec.generate_private_key(ec.SECP256R1()), "ES256"),
        "signature of another token": f"{head}.{body}.{auth.token().split('.')[2]}",
        "changed claims": f"{head}.{_part({**good, 'role': 'admin'}).decode()}.{signature}",
        "wrong issuer": auth.token(iss="other"),
        "wrong audience": auth.token(aud="other"),
        "no issuer": without("iss"),
        "no audience": without("aud"),
        "expired": auth.token(iat=now - 1000, exp=now - CLOCK_LEEWAY_SECONDS - 1),
        "expired long ago": auth.token(iat=1, exp=2),
        "no expiry": without("exp"),
        "not yet valid": auth.token(nbf=now + 3600),
        "issued in the future": auth.token(iat=now + 3600),
        "no time of issue": without("iat"),
        "no subject": without("sub"),
        "no session": without("sid"),
        "no role": without("role"),
        "unknown role": auth.token(role="owner"),
        "subject that is no user": auth.token(sub="everybody"),
        "unknown key id": signed(good, kid="key-9"),
        "key id of a path": signed(good, kid="../../../dev/null"),
        "no key id": signed(good, kid=None),
        "no type": signed(good, typ=None),
        "an identity token": signed(good, typ="JWT"),
        "a refresh token": signed(good, typ="rt+jwt"),
        "not a token": "abc",
        "empty parts": "..",
    }


async def test_forged_or_expired_token_is_rejected(system: System) -> None:
    forged = forged_tokens(system.auth)
    assert len(forged) >= 30
    for what, token in forged.items():
        before = len(system.catalog.seen)
        got = await system.get("/api/v1/products", headers={"Authorization": f"Bearer {token}"})
        assert got.is_problem(401, "unauthenticated"), what
        assert got.headers["WWW-Authenticate"] == "Bearer", what
        assert len(system.catalog.seen) == before, what


async def test_authorization_header_without_bearer_token_is_rejected(system: System) -> None:
    for value in ("", "Bearer", "Bearer ", "Basic YTpi", system.auth.token(), f"Token {system.auth.token()}"):
        got = await system.get("/api/v1/products", headers={"Authorization": value})
        assert got.is_problem(401, "unauthenticated"), value


async def test_verified_token_is_forwarded_unchanged(system: System) -> None:
    token = system.auth.token()
    await system.get("/api/v1/products", headers={"Authorization": f"bearer   {token} "})
    assert system.catalog.last.values("authorization") == [f"Bearer {token}"]


async def test_duplicate_authorization_header_forwards_only_the_verified_one(system: System) -> None:
    good, forged = f"Bearer {system.auth.token()}", "Bearer forged"
    for first, second in ((good, forged), (forged, good)):
        before = len(system.catalog.seen)
        got = await system.get("/api/v1/products", headers=[("Authorization", first), ("Authorization", second)])
        if got.status == 200:
            assert system.catalog.last.values("authorization") == [good]
        else:
            assert (got.status, len(system.catalog.seen)) == (401, before)


async def test_path_outside_public_list_requires_credentials(system: System) -> None:
    for path in PUBLIC:
        assert (await system.call("POST", f"/api/v1{path}", headers={})).status == 200, path
    assert (await system.get("/.well-known/jwks.json", headers={})).json["keys"][0]["kid"] == system.auth.key_id
    for method, path in [("GET", "/auth/profile"), ("POST", "/auth/logout"), ("DELETE", "/auth/session"),
                         ("GET", "/auth/session"), ("POST", "/auth/api-keys"), ("POST", "/auth/login/other"),
                         ("POST", "/products"), ("GET", "/stream"), ("GET", "/users")]:  # fmt: skip
        got = await system.call(method, f"/api/v1{path}", headers={})
        assert got.is_problem(401, "unauthenticated"), path


async def test_public_path_forwards_token_without_verifying_it(system: System) -> None:
    got = await system.call("POST", "/api/v1/auth/refresh", headers={"Authorization": "Bearer stale"})
    assert got.status == 200
    assert system.auth.last.values("authorization") == ["Bearer stale"]


async def test_admin_registration_accepts_no_token_or_valid_token_only(system: System) -> None:
    path = "/api/v1/auth/admin/register"
    assert (await system.call("POST", path, headers={})).status == 200
    assert system.auth.last.values("authorization") == []
    assert (await system.call("POST", path)).status == 200
    assert len(system.auth.last.values("authorization")) == 1
    assert (await system.call("POST", path, headers={"Authorization": "Bearer forged"})).status == 401


async def test_revoked_session_is_rejected_while_its_token_is_valid(system: System) -> None:
    headers = system.auth.bearer(sid="doomed")
    other = system.auth.bearer(sid="other")
    assert (await system.get("/api/v1/products", headers=headers)).status == 200
    system.auth.revoked.append("doomed")

    async def refused() -> bool:
        got = await system.get("/api/v1/products", headers=headers)
        return got.status != 200 and got.is_problem(401, "unauthenticated")

    await system.eventually(refused)
    assert (await system.get("/api/v1/products", headers=other)).status == 200


async def test_session_revoked_before_gateway_start_is_rejected(start_system: StartSystem) -> None:
    system = await start_system("http", lambda system: system.auth.revoked.append("doomed"))
    assert (await system.get("/api/v1/products", headers=system.auth.bearer(sid="doomed"))).status == 401


async def test_revocation_polling_continues_from_cursor_after_auth_outage(start_system: StartSystem) -> None:
    system = await start_system("http")
    known = system.auth.bearer()
    doomed = system.auth.bearer(sid="doomed")
    system.auth.revoked += ["a", "b"]
    await system.eventually(lambda: "2" in system.auth.polls)
    await system.servers["auth"].stop()
    system.auth.revoked.append("doomed")
    # Verified callers keep access: cached keys and revocations stay in force.
    assert (await system.get("/api/v1/products", headers=known)).status == 200
    system.auth.polls.clear()
    await system.servers["auth"].start()

    async def refused() -> bool:
        return (await system.get("/api/v1/products", headers=doomed)).status == 401

    await system.eventually(refused)
    assert system.auth.polls[0] == "2"


async def test_truncated_revocation_response_does_not_stop_polling(start_system: StartSystem) -> None:
    system = await start_system("http")
    headers = system.auth.bearer(sid="doomed")
    assert (await system.get("/api/v1/products", headers=headers)).status == 200
    halves = 0

    async def handler(scope: Scope, _: Receive, send: Send) -> None:
        nonlocal halves
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b'{"session_ids": [', "more_body": True})
        halves += 1
        scope["transport"].abort()

    system.auth.handlers["/internal/revocations"] = handler
    await system.eventually(lambda: halves > 1)
    del system.auth.handlers["/internal/revocations"]
    system.auth.revoked.append("doomed")

    async def refused() -> bool:
        return (await system.get("/api/v1/products", headers=headers)).status == 401

    await system.eventually(refused)


async def test_signing_key_rotation_fails_no_request(system: System) -> None:
    before = system.auth.bearer()
    assert (await system.get("/api/v1/products", headers=before)).status == 200
    system.auth.key, system.auth.key_id = Ed25519PrivateKey.generate(), "key-2"

    async def taken() -> bool:
        return (await system.get("/api/v1/products", headers=system.auth.bearer())).status == 200

    await system.eventually(taken)
    assert (await system.get("/api/v1/products", headers=before)).status == 200


async def test_signed_image_needs_no_credentials_and_may_be_embedded(mode: str, start_system: StartSystem) -> None:
    """The service verifies the signature. A page shows many images, so the limit is that of a caller."""
    system = await start_system(mode, rate_limit_address="1/minute", rate_limit_caller="3/minute")
    image = "/api/v1/products/5/image?v=ab&expires=1&signature=x"
    got = await system.get(image, headers={})
    assert (got.status, got.headers["Cross-Origin-Resource-Policy"]) == (200, "cross-origin")
    assert system.catalog.last.values("authorization") == []
    assert system.catalog.last.query == "v=ab&expires=1&signature=x"
    assert [(await system.get(image, headers={})).status for _ in range(3)] == [200, 200, 429]
    mine = await system.get(image, headers=system.auth.bearer(sub="8"))
    assert (mine.status, mine.headers["Cross-Origin-Resource-Policy"]) == (200, "same-site")
    assert (await system.call("PUT", image, headers={})).status == 401
