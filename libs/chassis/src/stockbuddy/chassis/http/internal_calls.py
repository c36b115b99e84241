"""Authentication of calls between services: a JWT that the caller signs for each minute with a secret shared with the
called service, so that another pod in the network can neither call `/internal` paths nor replay a call for long.
"""

from typing import Any

import jwt
from fastapi import Depends
from pydantic import Field, SecretStr
from starlette.requests import Request

from stockbuddy.chassis.http.errors import Unauthenticated
from stockbuddy.chassis.http.resources import get_resources
from stockbuddy.chassis.http.tokens import TIMES_CHECKED_HERE, check_times
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.companies import current_company
from stockbuddy.chassis.runtime.settings import ServiceSettings

ALGORITHM = "HS256"
TOKEN_TYPE = "internal+jwt"
TOKEN_TTL_SECONDS = 60
REUSE_SECONDS = 30
AUDIENCE = "internal"
"""With the name of the company, if there are several: they share the secret, and a call for one is none for another."""
MIN_SECRET_LENGTH = 32


class UnsignedCall(Unauthenticated):
    """The call is not signed by a service of this system."""

    code = "unsigned_call"


class InternalCallSettings(ServiceSettings):
    """`gateway_secret`: shared by the gateway and auth; authenticates the gateway's calls to `/internal` paths."""

    gateway_secret: SecretStr = Field(
        default=SecretStr("development-secret-of-gateway-and-auth"), min_length=MIN_SECRET_LENGTH
    )


class InternalCallSigner:
    """Signs the calls of `caller`, the name of a service."""

    def __init__(self, secret: SecretStr, caller: str) -> None:
        self._secret = secret.get_secret_value()
        self._caller = caller
        self._token = ""
        self._reuse_until = 0.0

    def authorization(self) -> str:
        """The value of the header `Authorization`."""
        now = clock.timestamp()
        if not self._reuse_until - REUSE_SECONDS <= now < self._reuse_until:
            self._token = sign_internal_call(self._secret, self._caller, now)
            self._reuse_until = now + REUSE_SECONDS
        return f"Bearer {self._token}"


def _audience() -> str:
    company = current_company()
    return f"{AUDIENCE}/{company}" if company else AUDIENCE


def sign_internal_call(secret: str, caller: str, now: float) -> str:
    claims = {"iss": caller, "aud": _audience(), "iat": int(now), "exp": int(now) + TOKEN_TTL_SECONDS}
    return jwt.encode(claims, secret, algorithm=ALGORITHM, headers={"typ": TOKEN_TYPE})


def verify_internal_call(secret: str, token: str) -> str:
    """The name of the calling service. Raises UnsignedCall."""
    try:
        if jwt.get_unverified_header(token).get("typ") != TOKEN_TYPE:
            raise UnsignedCall()
        options: Any = {"require": ["iss", "aud", "iat", "exp"], **TIMES_CHECKED_HERE}
        claims = jwt.decode(token, secret, algorithms=[ALGORITHM], audience=_audience(), options=options)
        check_times(claims)
    except jwt.PyJWTError as error:
        raise UnsignedCall() from error
    return str(claims["iss"])


async def require_internal_call(request: Request) -> str:
    """The name of the calling service."""
    settings = get_resources(request).settings
    assert isinstance(settings, InternalCallSettings)
    _, _, token = request.headers.get("authorization", "").partition(" ")
    return verify_internal_call(settings.gateway_secret.get_secret_value(), token)


INTERNAL = Depends(require_internal_call)
