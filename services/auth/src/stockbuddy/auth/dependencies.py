"""What auth's requests share: opened by the lifespan, injected into routes as `Services`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from stockbuddy.auth.crypto import SecretBox
from stockbuddy.auth.hashing import PasswordHasher
from stockbuddy.auth.identity_providers.client import ProviderClient
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.signing.keys import SigningKeys
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.repetitions import RepetitionCounter


@dataclass(frozen=True, slots=True)
class AuthServices:
    """`database` is for routes that need more than one transaction; the others use the `Session` dependency. `oidc`:
    the clients of identity providers by name."""

    settings: AuthSettings
    database: Database
    secret_box: SecretBox
    hasher: PasswordHasher
    signing_keys: SigningKeys
    failed_logins: RepetitionCounter
    oidc: Mapping[str, ProviderClient]


def get_services(request: Request) -> AuthServices:
    return cast(AuthServices, request.app.state.services)


async def _inject_services(request: Request) -> AuthServices:
    """Asynchronous, because FastAPI calls synchronous dependencies in a thread."""
    return get_services(request)


Services = Annotated[AuthServices, Depends(_inject_services)]
