"""Authentication with passkeys: in place of a password, as a second factor, and for step-up.

Signatures cannot be guessed, so a passkey works while codes are throttled. Failures are counted and published like
those of codes.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import digest
from stockbuddy.auth.dependencies import AuthServices, Services
from stockbuddy.auth.errors import InvalidChallenge, InvalidPasskey, WrongPasskey
from stockbuddy.auth.factors import passkeys, queries
from stockbuddy.auth.factors.model import CeremonyPurpose, Passkey
from stockbuddy.auth.factors.relying_party import RelyingParty, UnverifiableResponse, credential_id
from stockbuddy.auth.logins.authenticator import current_address
from stockbuddy.auth.logins.commands import FailureRecorder
from stockbuddy.auth.logins.queries import find_challenge, is_known_address, record_address
from stockbuddy.auth.logins.second_factors import use_challenge
from stockbuddy.auth.logins.throttle import Attempt, digest_second_factor
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import find_user, lock_user
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.event_context import set_actor

Credential = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Ceremony:
    """What a response must be for. `user_id` None: the passkey names the user, and its PIN or biometrics are required,
    so that it replaces both factors. `is_second_step`: of a login whose challenge must still be unused."""

    challenge: bytes
    user_id: int | None
    is_second_step: bool = False


class PasskeyAuthenticator:
    """Starts ceremonies and verifies the responses of authenticators."""

    def __init__(self, services: AuthServices) -> None:
        self._database = services.database
        self._secret_box = services.secret_box
        self._relying_party = RelyingParty(services.settings.public_url)
        self._failures = FailureRecorder(services.failed_logins, services.settings.login_backoff_seconds)

    async def start(self, purpose: CeremonyPurpose, user_id: int | None) -> tuple[str, dict[str, Any]]:
        """The token of a new ceremony, and options for `navigator.credentials.get`."""
        async with self._database.transaction() as session:
            token, challenge = passkeys.start_ceremony(session, purpose, user_id)
            own = [] if user_id is None else await queries.list_passkeys(session, user_id, usable_only=True)
        return token, self._relying_party.request_options(challenge, own)

    @asynccontextmanager
    async def log_in(self, token: str, credential: Credential) -> AsyncIterator[tuple[AsyncSession, User]]:
        """A login with a passkey alone; yields an open transaction, and sets the actor. Raises InvalidChallenge or
        InvalidPasskey."""
        async with self._database.transaction() as session:
            if not await passkeys.finish_ceremony(session, token, CeremonyPurpose.LOGIN, None):
                raise InvalidChallenge()
        async with self._assert(credential, _Ceremony(digest(token), None)) as (session, user):
            await record_address(session, user.id, current_address(), clock.now())
            yield session, user

    @asynccontextmanager
    async def complete(
        self, challenged: User, challenge: str, credential: Credential
    ) -> AsyncIterator[tuple[AsyncSession, User, bool]]:
        """The second step of a login; yields an open transaction, the user, and whether a browser logs in. Raises
        InvalidChallenge or InvalidPasskey."""
        async with self._assert(credential, _Ceremony(digest(challenge), challenged.id, is_second_step=True)) as (
            session,
            user,
        ):
            with_cookie = await use_challenge(session, challenge, user)
            await record_address(session, user.id, current_address(), clock.now())
            yield session, user, with_cookie

    @asynccontextmanager
    async def verify(self, user: User, token: str, credential: Credential) -> AsyncIterator[AsyncSession]:
        """Step-up of a logged-in user; yields an open transaction. Raises WrongPasskey."""
        async with self._database.transaction() as session:
            if not await passkeys.finish_ceremony(session, token, CeremonyPurpose.STEP_UP, user.id):
                raise WrongPasskey()
        try:
            async with self._assert(credential, _Ceremony(digest(token), user.id)) as (session, _):
                yield session
        except InvalidPasskey as error:
            raise WrongPasskey() from error

    @asynccontextmanager
    async def _assert(self, credential: Credential, ceremony: _Ceremony) -> AsyncIterator[tuple[AsyncSession, User]]:
        """Yields an open transaction and the user, locked. A copied passkey is disabled. Raises InvalidPasskey."""
        async with self._database.transaction() as session:
            found = await self._find(session, credential)
            user = await lock_user(session, found.user_id) if found else None
            if user is not None and await self._is_valid(session, user, credential, ceremony):
                set_actor(user.id, user.username)
                yield session, user
                return
        await self._record_failure(user)
        raise InvalidPasskey()

    async def _find(self, session: AsyncSession, credential: Credential) -> Passkey | None:
        try:
            return await queries.find_passkey(session, credential_id(credential))
        except UnverifiableResponse:
            return None

    async def _is_valid(self, session: AsyncSession, user: User, credential: Credential, ceremony: _Ceremony) -> bool:
        passkey = await self._find(session, credential)  # again: the user is locked now
        if passkey is None or passkey.user_id != user.id or passkey.disabled_at is not None or not user.is_active:
            return False
        if ceremony.user_id not in (None, user.id):
            return False
        # Before the counter is compared: a response that is sent twice is no copy.
        if ceremony.is_second_step and not await find_challenge(session, ceremony.challenge, clock.now()):
            raise InvalidChallenge()
        try:
            verified = self._relying_party.verify_assertion(
                credential, ceremony.challenge, passkey, user_verification=ceremony.user_id is None
            )
        except UnverifiableResponse:
            return False
        if verified.is_copy:
            await passkeys.disable_passkey(session, user, passkey)
            return False
        passkeys.record_use(passkey, verified.sign_count)
        return True

    async def _record_failure(self, user: User | None) -> None:
        user_id, address = user.id if user else 0, current_address()
        async with self._database.transaction() as session:
            is_known = await is_known_address(session, user_id, address)
            known = await find_user(session, user_id) if user else None
            attempt = Attempt(digest_second_factor(self._secret_box, user_id), address, is_known_address=is_known)
            await self._failures.record(session, attempt, known, reason="wrong_passkey")


async def _inject_authenticator(services: Services) -> PasskeyAuthenticator:
    return PasskeyAuthenticator(services)


Passkeys = Annotated[PasskeyAuthenticator, Depends(_inject_authenticator)]
