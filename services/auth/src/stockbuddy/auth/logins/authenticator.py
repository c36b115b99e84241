"""Password authentication, the same for every endpoint that accepts a password.

The slow hash is computed without a database connection, and costs the same whether the user exists or not.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.dependencies import AuthServices, Services
from stockbuddy.auth.errors import InvalidCredentials, WrongPassword
from stockbuddy.auth.factors.relying_party import RelyingParty
from stockbuddy.auth.logins.challenges import create_challenge_if_required
from stockbuddy.auth.logins.commands import FailureRecorder, require_not_throttled, reset_failures
from stockbuddy.auth.logins.queries import is_known_address
from stockbuddy.auth.logins.throttle import Attempt, digest_login
from stockbuddy.auth.users import queries
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.runtime.event_context import current_event_context, set_actor

UNKNOWN_ADDRESS = "unknown"

Admit = Callable[[User], None]
"""Raises an error for a user who may not log in at an endpoint."""


class PasswordAuthenticator:
    """Verifies passwords, throttles guessing, and publishes failures."""

    def __init__(self, services: AuthServices) -> None:
        self._database = services.database
        self._hasher = services.hasher
        self._secret_box = services.secret_box
        self._relying_party = RelyingParty(services.settings.public_url)
        self._failures = FailureRecorder(services.failed_logins, services.settings.login_backoff_seconds)

    @asynccontextmanager
    async def authenticate(
        self, login: str, password: str, *, admit: Admit | None = None, with_cookie: bool = False
    ) -> AsyncIterator[tuple[AsyncSession, User]]:
        """Verify credentials; yields an open transaction and the user, and sets the actor. On any mismatch (unknown,
        wrong password, inactive) the failure is counted and InvalidCredentials raised; TooManyAttempts while
        throttled. `admit` rejects users who may not log in here. A user who needs a second factor is not yielded:
        SecondFactorRequired or SecondFactorSetupRequired, whose challenge is committed; `with_cookie` as there."""
        attempt, found, new_hash = await self._verify(login, password)
        async with self._database.transaction() as session:
            user = await queries.lock_user(session, found.id)
            if user is None or not user.is_active or user.password_hash != found.password_hash:
                raise InvalidCredentials()  # changed by a concurrent transaction while the hash was computed
            if new_hash:
                user.password_hash = new_hash
            set_actor(user.id, user.username)
            if admit is not None:
                admit(user)
            challenge = await create_challenge_if_required(session, user, self._relying_party, with_cookie=with_cookie)
            await reset_failures(session, attempt, user.id, is_logged_in=challenge is None)
            if challenge is None:
                yield session, user
                return
        raise challenge

    async def _verify(self, login: str, password: str) -> tuple[Attempt, User, str | None]:
        """The user whose password matches, and a new hash if the stored one has outdated parameters."""
        async with self._database.reading() as session:
            found = await queries.find_user_by_login(session, login)
            attempt = await self._attempt(session, login, found)
            await require_not_throttled(session, attempt)
        matches, new_hash = await self._hasher.verify(password, found.password_hash if found else None)
        if found is None or not matches or not found.is_active:
            await self._record_failure(attempt, found, matches=matches)
            raise InvalidCredentials()
        return attempt, found, new_hash

    async def verify_password(self, user: User, password: str) -> None:
        """Re-authenticate the logged-in user. Throttled too, so that an unattended session cannot be used to guess the
        password. Raises WrongPassword or TooManyAttempts."""
        digest = digest_login(self._secret_box, user.username)
        attempt = Attempt(digest, current_address(), is_known_address=True)
        async with self._database.reading() as session:
            await require_not_throttled(session, attempt)
        matches, _ = await self._hasher.verify(password, user.password_hash)
        if not matches:
            await self._record_failure(attempt, user, matches=False)
            raise WrongPassword()

    async def _attempt(self, session: AsyncSession, login: str, user: User | None) -> Attempt:
        address = current_address()
        # Queried for unknown users too, so that the number of queries does not reveal whether a user exists.
        is_known = await is_known_address(session, user.id if user else 0, address)
        return Attempt(digest_login(self._secret_box, login), address, is_known_address=is_known)

    async def _record_failure(self, attempt: Attempt, user: User | None, *, matches: bool) -> None:
        reason = "unknown_user" if user is None else "deactivated" if matches else "wrong_password"
        async with self._database.transaction() as session:
            await self._failures.record(session, attempt, user, reason=reason)


def current_address() -> str:
    return current_event_context().client_ip or UNKNOWN_ADDRESS


async def _inject_authenticator(services: Services) -> PasswordAuthenticator:
    return PasswordAuthenticator(services)


Authenticator = Annotated[PasswordAuthenticator, Depends(_inject_authenticator)]
