"""The auth service, put together."""

import contextlib
from collections.abc import AsyncIterator

import structlog
from fastapi import FastAPI

from stockbuddy.auth.user_management import routes as administration
from stockbuddy.auth.api_keys import routes as api_keys
from stockbuddy.auth.exchange import routes as exchange
from stockbuddy.auth.bootstrap import routes as first_admin
from stockbuddy.auth.bootstrap.commands import make_setup_token
from stockbuddy.auth.hashing import PasswordHasher
from stockbuddy.auth.invitations import routes as invitations
from stockbuddy.auth.email.sender import LetterSender
from stockbuddy.auth.logins import routes as logins
from stockbuddy.auth.logins.authenticator import Doorkeeper
from stockbuddy.auth.email.transport import post_of
from stockbuddy.auth.oauth import routes as oauth
from stockbuddy.auth.passwords import routes as passwords
from stockbuddy.auth.internal_api import routes as reports
from stockbuddy.auth.crypto import Seal
from stockbuddy.auth.sessions import routes as sessions
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth import jwks as signing
from stockbuddy.auth.signing.keys import SigningKeys
from stockbuddy.auth.system_settings import routes as system_settings
from stockbuddy.auth.cleanup import forget_outdated
from stockbuddy.auth.users import routes as users
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.http.tokens import JwksCache, TokenVerifier
from stockbuddy.chassis.postgres.migrations import migrations_of
from stockbuddy.chassis.http.app import Service

__all__ = ["MIGRATIONS", "SERVICE", "AuthSettings"]

log = structlog.get_logger(__name__)

MIGRATIONS = migrations_of(__file__)


@contextlib.asynccontextmanager
async def _open_parts(app: FastAPI) -> AsyncIterator[None]:
    settings: AuthSettings = app.state.settings
    database: Database = app.state.database
    seal = Seal(settings.secret_key)
    hasher = PasswordHasher(threads=settings.hashing_threads, queue=settings.hashing_queue)
    keys = SigningKeys(database, seal, settings)
    await keys.start()
    app.state.seal, app.state.hasher, app.state.signing_keys = seal, hasher, keys
    app.state.doorkeeper = Doorkeeper(database, hasher, first_pause_seconds=settings.login_pause_seconds)
    app.state.letters = LetterSender(database, post_of(settings.smtp_url, settings.mail_outbox), settings)
    # Auth knows its own keys without asking itself over the network.
    app.state.verifier = TokenVerifier(
        JwksCache(keys.document), issuer=settings.token_issuer, audience=settings.token_audience
    )
    if settings.env != "development":
        await _print_setup_token(database)
    try:
        yield
    finally:
        hasher.close()


async def _print_setup_token(database: Database) -> None:
    """Once, with the first start: it is stored as a digest only."""
    async with database.transaction() as session:
        token = await make_setup_token(session)
    if token:
        log.warning("setup.first_admin_needed", call="POST /api/v1/auth/admin/register", setup_token=token)


async def follow_signing_keys(app: FastAPI) -> None:
    await app.state.signing_keys.run()


async def send_letters(app: FastAPI) -> None:
    await app.state.letters.run()


SERVICE = Service(
    name="auth",
    title="Stockbuddy auth",
    routers=[
        logins.router,
        logins.repeatable_router,
        oauth.router,
        first_admin.router,
        invitations.public_router,
        invitations.creating_router,
        invitations.router,
        sessions.public_router,
        sessions.router,
        passwords.router,
        users.router,
        api_keys.creating_router,
        api_keys.router,
        administration.router,
        system_settings.router,
        signing.router,
        sessions.internal_router,
        exchange.router,
        reports.router,
    ],
    background=[follow_signing_keys, send_letters, forget_outdated],
    lifespan=_open_parts,
)
