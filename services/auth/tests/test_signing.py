"""Access tokens: claims, verification with the published keys, and rejection of forgeries."""

import base64
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from stockbuddy.chassis.http.tokens import CLOCK_LEEWAY_SECONDS, REQUIRED_CLAIMS, JwksCache, TokenVerifier


async def test_access_token_contains_user_role_and_warehouses(auth: Any) -> None:
    user = await auth.register()
    tokens = await auth.log_in(user["username"])
    header, claims = jwt.get_unverified_header(tokens["access_token"]), auth.claims(tokens)
    assert (header["alg"], header["typ"]) == ("EdDSA", "at+jwt")
    assert set(REQUIRED_CLAIMS) <= set(claims)
    assert (claims["sub"], claims["username"], claims["role"]) == (str(user["id"]), user["username"], "salesperson")
    assert claims["warehouse_ids"] is None
    assert claims["exp"] - claims["iat"] == 900


async def test_access_token_is_verified_with_published_keys(auth: Any) -> None:
    tokens = await auth.member()
    published = await auth.get("/.well-known/jwks.json")
    assert "max-age" in published.headers["Cache-Control"]
    assert all("d" not in key for key in published.json()["keys"])

    async def fetch() -> Any:
        return published.json()

    verifier = TokenVerifier(JwksCache(fetch), issuer="stockbuddy", audience="stockbuddy")
    principal = await verifier.verify(tokens["access_token"])
    assert principal.user_id == tokens["user"]["id"]


async def test_signing_keys_are_the_same_in_every_replica(auth: Any, another_auth: Any) -> None:
    tokens = await auth.member()
    async with another_auth() as replica:
        keys = [(await each.get("/.well-known/jwks.json")).json() for each in (auth, replica)]
        assert keys[0] == keys[1]
        assert (await replica.get("/auth/profile", token=tokens["access_token"])).status_code == 200
        there = await replica.log_in(tokens["user"]["username"])
    assert (await auth.get("/auth/profile", token=there["access_token"])).status_code == 200


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


async def test_forged_token_is_rejected(auth: Any) -> None:
    tokens = await auth.member()
    genuine, claims = tokens["access_token"], auth.claims(tokens)
    jwk = (await auth.get("/.well-known/jwks.json")).json()["keys"][0]
    header = {"alg": "EdDSA", "typ": "at+jwt", "kid": jwk["kid"]}
    own_key = Ed25519PrivateKey.generate()
    public = base64.urlsafe_b64decode(jwk["x"] + "=")
    admin = {**claims, "role": "admin"}

    def foreign(claims: dict[str, Any], **headers: Any) -> str:
        return jwt.encode(claims, own_key, algorithm="EdDSA", headers={**header, **headers})

    head, body, signature = genuine.split(".")
    forged = {
        "alg none": unsigned({**header, "alg": "none"}, admin),
        "alg None": unsigned({**header, "alg": "None"}, admin),
        "no alg": unsigned({"typ": "at+jwt", "kid": jwk["kid"]}, admin),
        "HS256 with the public key": jwt.encode(admin, public, algorithm="HS256", headers=header | {"alg": "HS256"}),
        "HS256 with the published text": jwt.encode(
            admin, jwk["x"].encode() + b"=" * 8, algorithm="HS256", headers=header | {"alg": "HS256"}
        ),
        "a foreign key": foreign(admin),
        "a foreign key and kid": foreign(admin, kid="foreign"),
        "a key in the header": foreign(admin, jwk=json.loads(OKPAlgorithm.to_jwk(own_key.public_key()))),
        "other claims under the signature": unsigned(header, admin, base64.urlsafe_b64decode(signature + "==")),
        "no signature": f"{head}.{body}.",
        "a cut signature": genuine[:-4],
        "two parts": f"{head}.{body}",
        "garbage": "garbage",
        "garbage in three parts": "a.b.c",
        "a number": "1",
        "not ascii": "ü.ü.ü",
        "very long": "a" * 10_000,
        "a refresh token": tokens["refresh_token"],
    }
    for what, token in forged.items():
        response = await auth.get("/auth/profile", headers={"Authorization": b"Bearer " + token.encode()})
        assert response.status_code == 401, what
        assert response.headers["WWW-Authenticate"] == "Bearer", what
        assert response.headers["Content-Type"] == "application/problem+json", what
    assert (await auth.get("/auth/profile", token=genuine)).status_code == 200


async def test_signed_token_without_required_claim_is_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    claims = auth.claims(await auth.member())
    for missing in REQUIRED_CLAIMS:
        with subtests.test(missing=missing):
            others = {name: value for name, value in claims.items() if name != missing}
            assert (await auth.get("/auth/profile", token=await auth.signed(others))).status_code == 401


async def test_signed_token_with_invalid_claim_is_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    claims = auth.claims(await auth.member())
    for change in [
        {"iss": "other"},
        {"aud": "elsewhere"},
        {"aud": ["elsewhere"]},
        {"exp": int(time.time()) - CLOCK_LEEWAY_SECONDS - 1},
        {"exp": "never"},
        {"iat": int(time.time()) + 3600},
        {"nbf": int(time.time()) + 3600},
        {"role": "owner"},
        {"role": None},
        {"sub": "admin"},
        {"warehouse_ids": "all"},
    ]:
        with subtests.test(change=change):
            assert (await auth.get("/auth/profile", token=await auth.signed(claims | change))).status_code == 401


async def test_signed_token_of_other_type_is_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    claims = auth.claims(await auth.member())
    assert (await auth.get("/auth/profile", token=await auth.signed(claims))).status_code == 200
    for token_type in ["JWT", "rt+jwt", None]:
        with subtests.test(token_type=token_type):
            token = await auth.signed(claims, token_type=token_type)
            assert (await auth.get("/auth/profile", token=token)).status_code == 401


async def test_request_without_bearer_token_is_unauthenticated(auth: Any, subtests: pytest.Subtests) -> None:
    for header in ["", "Bearer", "Bearer ", "Basic YTpi", "Token x", "bearer"]:
        with subtests.test(header=header):
            response = await auth.get("/auth/profile", headers={"Authorization": header})
            assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
