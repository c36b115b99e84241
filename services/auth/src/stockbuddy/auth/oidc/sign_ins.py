"""Starts sign-ins at a provider, and verifies what the browser brings back."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import SecretBox, create_secret, digest
from stockbuddy.auth.hashing import client_network
from stockbuddy.auth.identity_providers.client import ProviderClient
from stockbuddy.auth.identity_providers.errors import SignInFailed
from stockbuddy.auth.oidc import queries
from stockbuddy.auth.oidc.errors import SignInNotStarted
from stockbuddy.auth.oidc.model import OidcSignIn
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.repetitions import RepetitionCounter
from stockbuddy.contracts.auth import UNKNOWN_LOGIN, LoginFailed

SIGN_IN_LIFETIME = timedelta(minutes=10)
FAILURE = "sign_in_failed"


@dataclass(frozen=True, slots=True)
class StartedSignIn:
    """`authorization_url`: where the browser is sent. `browser_secret`: the value of its cookie."""

    authorization_url: str
    browser_secret: str


@dataclass(frozen=True, slots=True)
class VerifiedSignIn:
    """`claims`: of the ID token, with those of the user information that it lacks."""

    claims: Mapping[str, Any]
    return_to: str


async def start_sign_in(
    database: Database, client: ProviderClient, secret_box: SecretBox, *, redirect_uri: str, return_to: str
) -> StartedSignIn:
    """State, nonce and code verifier (RFC 7636) are new for each sign-in. Raises ProviderUnavailable."""
    state, nonce, verifier, browser_secret = (create_secret() for _ in range(4))
    url = await client.authorization_url(
        redirect_uri=redirect_uri,
        state=state,
        nonce=nonce,
        code_challenge=_code_challenge(verifier),
        code_challenge_method="S256",
    )
    started = OidcSignIn(
        digest=digest(state),
        provider=client.provider.name,
        browser_digest=digest(browser_secret),
        nonce=nonce,
        encrypted_code_verifier=secret_box.encrypt(verifier.encode()),
        return_to=return_to,
        expires_at=clock.now() + SIGN_IN_LIFETIME,
    )
    async with database.transaction() as session:
        session.add(started)
    return StartedSignIn(url, browser_secret)


async def claim_sign_in(
    session: AsyncSession, client: ProviderClient, *, state: str, browser_secret: str | None
) -> OidcSignIn:
    """Once, by the browser that started it, at the same provider. Raises SignInNotStarted."""
    started = await queries.delete_sign_in(session, digest(state), clock.now())
    is_same_browser = started is not None and hmac.compare_digest(digest(browser_secret or ""), started.browser_digest)
    if started is None or not is_same_browser or started.provider != client.provider.name:
        raise SignInNotStarted()
    return started


async def verify_sign_in(
    client: ProviderClient, started: OidcSignIn, code: str, secret_box: SecretBox, *, redirect_uri: str
) -> VerifiedSignIn:
    """Exchange the code. Raises SignInFailed or ProviderUnavailable."""
    verifier = secret_box.decrypt(started.encrypted_code_verifier).decode()
    tokens = await client.exchange_code(code, code_verifier=verifier, redirect_uri=redirect_uri)
    claims = await client.verify(tokens.get("id_token"), started.nonce)
    if "email" not in claims:
        claims = {**await client.user_information(tokens.get("access_token"), claims["sub"]), **claims}
    return VerifiedSignIn(claims, started.return_to)


def record_failure(session: AsyncSession, repetitions: RepetitionCounter, client_ip: str | None) -> None:
    """Publish a sign-in that the provider did not confirm: like failed logins, once a minute for an address."""
    count = repetitions.count((client_network(client_ip), None, FAILURE))
    if count is not None:
        outbox.add(session, LoginFailed(login=UNKNOWN_LOGIN, reason=FAILURE, repetitions=count))


def require_issuer(client: ProviderClient, issuer: str | None) -> None:
    """The parameter `iss` of the response, if there is one (RFC 9207), against mix-up attacks. Raises SignInFailed."""
    if issuer is not None and issuer.rstrip("/") != client.provider.issuer:
        raise SignInFailed()


def _code_challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
