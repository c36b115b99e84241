"""The composition root of auth."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import structlog

from stockbuddy.auth import jwks
from stockbuddy.auth.account_emails import composer
from stockbuddy.auth.api_keys import routes as api_keys
from stockbuddy.auth.apps import consent_routes as consents
from stockbuddy.auth.apps import routes as apps
from stockbuddy.auth.bootstrap import routes as bootstrap
from stockbuddy.auth.bootstrap.commands import create_bootstrap_token
from stockbuddy.auth.cleanup import cleanup_worker
from stockbuddy.auth.crypto import SecretBox
from stockbuddy.auth.dependencies import AuthServices
from stockbuddy.auth.email import routes as emails
from stockbuddy.auth.email.sender import EmailSender
from stockbuddy.auth.email.transport import transport_from
from stockbuddy.auth.factors import passkey_routes as passkeys
from stockbuddy.auth.factors import routes as factors
from stockbuddy.auth.hashing import PasswordHasher
from stockbuddy.auth.identity_providers.client import ProviderClient
from stockbuddy.auth.internal_api import routes as internal_api
from stockbuddy.auth.invitations import routes as invitations
from stockbuddy.auth.logins import routes as logins
from stockbuddy.auth.logins import second_factor_routes as second_factors
from stockbuddy.auth.logins import step_up_routes as step_up
from stockbuddy.auth.oauth import authorization_routes as authorization
from stockbuddy.auth.oauth import device_routes as devices
from stockbuddy.auth.oauth import metadata_routes as server_metadata
from stockbuddy.auth.oauth import routes as oauth
from stockbuddy.auth.oauth import token_status_routes as token_status
from stockbuddy.auth.oidc import routes as oidc
from stockbuddy.auth.passwords import routes as passwords
from stockbuddy.auth.profile import routes as profile
from stockbuddy.auth.report_recipients import routes as report_recipients
from stockbuddy.auth.role_management import routes as role_management
from stockbuddy.auth.sessions import routes as sessions
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.signing.keys import SigningKeys
from stockbuddy.auth.system_settings import routes as system_settings
from stockbuddy.auth.system_settings.commands import restrict_registration
from stockbuddy.auth.user_management import routes as user_management
from stockbuddy.auth.views import routes as views
from stockbuddy.chassis.http.resources import Resources
from stockbuddy.chassis.http.service_definition import Service, ServiceParts
from stockbuddy.chassis.http.tokens import JwksCache, TokenVerifier
from stockbuddy.chassis.messaging.erasure import erasure_consumer
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.migrations import migrations_of
from stockbuddy.chassis.runtime.repetitions import RepetitionCounter

__all__ = ["MIGRATIONS", "SERVICE", "AuthSettings"]

log = structlog.get_logger(__name__)

MIGRATIONS = migrations_of(__file__)


@contextlib.asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[ServiceParts]:
    settings, database = cast(AuthSettings, resources.settings), resources.database
    secret_box = SecretBox(settings.secret_key)
    signing_keys = SigningKeys(database, secret_box, settings)
    await signing_keys.start()
    if settings.env != "development":
        await _log_bootstrap_token(database)
    transport = transport_from(settings)
    sender = EmailSender(database, transport, composer(settings))
    hasher = PasswordHasher(settings)
    # Auth verifies with the keys in memory instead of fetching them from itself.
    verifier = TokenVerifier(
        JwksCache(signing_keys.jwks), issuer=settings.token_issuer, audience=settings.token_audience
    )
    try:
        yield ServiceParts(
            services=AuthServices(
                settings, database, secret_box, hasher, signing_keys, RepetitionCounter(), _oidc_clients(settings)
            ),
            workers=[sender.worker(), cleanup_worker(database)],
            request_workers=[signing_keys.worker()],
            verifier=verifier,
        )
    finally:
        hasher.close()


def _oidc_clients(settings: AuthSettings) -> dict[str, ProviderClient]:
    return {provider.name: ProviderClient(provider) for provider in settings.oidc_providers}


async def _log_bootstrap_token(database: Database) -> None:
    """At the first start only: the token is stored as a digest, and strangers may not register."""
    async with database.transaction() as session:
        token = await create_bootstrap_token(session)
        if token:
            await restrict_registration(session)
    if token:
        log.warning("bootstrap.admin_required", call="POST /api/v1/auth/admin/register", setup_token=token)


SERVICE = Service(
    name="auth",
    title="Stockbuddy auth",
    routers=[
        logins.router,
        logins.registration_router,
        second_factors.router,
        factors.router,
        factors.secret_router,
        passkeys.router,
        passkeys.secret_router,
        step_up.router,
        oidc.router,
        oidc.start_router,
        oidc.callback_router,
        oauth.router,
        authorization.router,
        devices.router,
        token_status.router,
        server_metadata.router,
        apps.secret_router,
        apps.router,
        consents.router,
        bootstrap.router,
        invitations.public_router,
        invitations.creation_router,
        invitations.router,
        sessions.public_router,
        sessions.router,
        passwords.router,
        profile.public_router,
        profile.router,
        api_keys.creation_router,
        api_keys.router,
        user_management.router,
        report_recipients.router,
        role_management.router,
        views.router,
        system_settings.router,
        emails.router,
        jwks.router,
        internal_api.router,
    ],
    consumers=[erasure_consumer("auth.erasure.v1")],
    lifespan=lifespan,
    texts=Path(__file__).with_name("texts.toml"),
    document=Path(__file__).with_name("openapi.json"),
)
