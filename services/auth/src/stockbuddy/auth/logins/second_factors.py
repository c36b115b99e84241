"""Verification of second factors, throttled like passwords.

Counted are failures per user and address, and per user over all addresses from which the user has not logged in before:
an attacker who knows the password can neither guess codes nor keep the user out of their usual place.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import digest
from stockbuddy.auth.dependencies import AuthServices, Services
from stockbuddy.auth.errors import InvalidChallenge, InvalidSecondFactor, InvalidSetupCode, WrongCode
from stockbuddy.auth.factors.commands import confirm_totp_factor, use_code
from stockbuddy.auth.factors.model import FactorKind
from stockbuddy.auth.logins import queries
from stockbuddy.auth.logins.authenticator import current_address
from stockbuddy.auth.logins.commands import FailureRecorder, require_not_throttled, reset_failures
from stockbuddy.auth.logins.throttle import Attempt, digest_second_factor
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import find_user, lock_user
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.event_context import set_actor


@dataclass(frozen=True, slots=True)
class CompletedChallenge:
    """`recovery_codes`: new ones, if the user's first factor was set up in this login."""

    user: User
    factor: FactorKind
    with_cookie: bool
    recovery_codes: list[str]


class SecondFactorAuthenticator:
    """Verifies codes, throttles guessing, and publishes failures."""

    def __init__(self, services: AuthServices) -> None:
        self._database = services.database
        self._secret_box = services.secret_box
        self._failures = FailureRecorder(services.failed_logins, services.settings.login_backoff_seconds)

    @asynccontextmanager
    async def complete(self, challenge: str, code: str) -> AsyncIterator[tuple[AsyncSession, CompletedChallenge]]:
        """Verify the code of a login; yields an open transaction, and sets the actor. Only a right code
        uses the challenge up. Raises InvalidChallenge, InvalidSecondFactor or TooManyAttempts."""
        user = await self.find_challenged_user(challenge)
        attempt = await self._require_attempt(user)
        async with self._database.transaction() as session:
            locked = await lock_user(session, user.id)
            verified = await self._verify(session, locked, code) if locked else None
            if locked is not None and verified is not None:
                with_cookie = await use_challenge(session, challenge, locked)
                await reset_failures(session, attempt, locked.id)
                set_actor(locked.id, locked.username)
                factor, recovery_codes = verified
                yield session, CompletedChallenge(locked, factor, with_cookie, recovery_codes)
                return
        await self._record_failure(attempt, user)
        raise InvalidSecondFactor()

    @asynccontextmanager
    async def verify_code(self, user: User, code: str) -> AsyncIterator[tuple[AsyncSession, FactorKind]]:
        """Verify a code of a logged-in user; yields an open transaction. Raises WrongCode or TooManyAttempts."""
        attempt = await self._require_attempt(user)
        async with self._database.transaction() as session:
            locked = await lock_user(session, user.id)
            factor = await use_code(session, locked, code, self._secret_box) if locked else None
            if factor is not None:
                await reset_failures(session, attempt, user.id)
                yield session, factor
                return
        await self._record_failure(attempt, user)
        raise WrongCode()

    async def find_challenged_user(self, challenge: str) -> User:
        """Raises InvalidChallenge."""
        async with self._database.reading() as session:
            found = await queries.find_challenge(session, digest(challenge), clock.now())
            user = await find_user(session, found.user_id) if found else None
        if user is None or not user.is_active:
            raise InvalidChallenge()
        return user

    async def _verify(self, session: AsyncSession, user: User, code: str) -> tuple[FactorKind, list[str]] | None:
        """The factor, and new recovery codes if the code confirms the user's first factor; None if it is wrong."""
        if not user.has_second_factor:
            try:
                return FactorKind.TOTP, await confirm_totp_factor(session, user, code, self._secret_box)
            except InvalidSetupCode:
                return None
        factor = await use_code(session, user, code, self._secret_box)
        return (factor, []) if factor else None

    async def _require_attempt(self, user: User) -> Attempt:
        """Raises TooManyAttempts while throttled."""
        address, login_digest = current_address(), digest_second_factor(self._secret_box, user.id)
        async with self._database.reading() as session:
            is_known = await queries.is_known_address(session, user.id, address)
            attempt = Attempt(login_digest, address, is_known_address=is_known)
            await require_not_throttled(session, attempt)
        return attempt

    async def _record_failure(self, attempt: Attempt, user: User) -> None:
        async with self._database.transaction() as session:
            await self._failures.record(session, attempt, user, reason="wrong_second_factor")


async def use_challenge(session: AsyncSession, challenge: str, user: User) -> bool:
    """Whether a browser logs in. `user` is locked. The challenge is deleted: one of concurrent logins with it succeeds.
    Raises InvalidChallenge."""
    found = await queries.delete_challenge(session, digest(challenge), clock.now())
    if found is None or found.user_id != user.id or not user.is_active:
        raise InvalidChallenge()
    return found.with_cookie


async def _inject_authenticator(services: Services) -> SecondFactorAuthenticator:
    return SecondFactorAuthenticator(services)


SecondFactors = Annotated[SecondFactorAuthenticator, Depends(_inject_authenticator)]
