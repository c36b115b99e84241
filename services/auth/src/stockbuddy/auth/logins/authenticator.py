"""Decides who gets in by name and password, wherever these are asked for.

The slow hash is computed with no connection to the database held, and costs the same whether the user exists or not.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.errors import InvalidCredentials, WrongPassword
from stockbuddy.auth.hashing import PasswordHasher
from stockbuddy.auth.logins.commands import count_failure, forgive, require_no_pause
from stockbuddy.auth.logins.queries import is_known_address
from stockbuddy.auth.logins.throttle import Attempt
from stockbuddy.auth.users import queries
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.messaging.event_context import current_event_context, set_actor

UNKNOWN_ADDRESS = "unknown"


class Doorkeeper:
    def __init__(self, database: Database, hasher: PasswordHasher, *, first_pause_seconds: int) -> None:
        self._database = database
        self._hasher = hasher
        self._first_pause_seconds = first_pause_seconds

    @asynccontextmanager
    async def admitting(self, login: str, password: str) -> AsyncIterator[tuple[AsyncSession, User]]:
        """A transaction and the user who belongs to the credentials: the actor from now on. Raises InvalidCredentials,
        after the failure was counted and put on record, whatever it was that did not fit; TooManyAttempts while a
        pause lasts."""
        async with self._database.reading() as session:
            found = await queries.user_by_login(session, login)
            attempt = await _attempt(session, login, found)
            await require_no_pause(session, attempt)
        matches, newer_hash = await self._hasher.verify(password, found.password_hash if found else None)
        if found is None or not matches or not found.is_active:
            await self._refuse(attempt, found, matches=matches)
            raise InvalidCredentials()
        async with self._database.transaction() as session:
            user = await queries.lock_user(session, found.id)
            if user is None or not user.is_active or user.password_hash != found.password_hash:
                raise InvalidCredentials()  # They changed while the hash was computed.
            await forgive(session, attempt, user.id)
            if newer_hash:
                user.password_hash = newer_hash
            set_actor(user.id, user.username)
            yield session, user

    async def confirm(self, user: User, password: str) -> None:
        """That a user who is logged in knows their password. Raises WrongPassword or TooManyAttempts: who has
        found an open till must not find out its owner's password."""
        attempt = Attempt(user.username, current_address(), is_familiar=True)
        async with self._database.reading() as session:
            await require_no_pause(session, attempt)
        matches, _ = await self._hasher.verify(password, user.password_hash)
        if not matches:
            await self._refuse(attempt, user, matches=False)
            raise WrongPassword()

    async def _refuse(self, attempt: Attempt, found: User | None, *, matches: bool) -> None:
        reason = "unknown_user" if found is None else "deactivated" if matches else "wrong_password"
        async with self._database.transaction() as session:
            await count_failure(
                session,
                attempt,
                found.id if found else None,
                reason=reason,
                first_pause_seconds=self._first_pause_seconds,
            )


async def _attempt(session: AsyncSession, login: str, found: User | None) -> Attempt:
    address = current_address()
    # Asked for nobody too, so that the answer for an unknown user takes no fewer steps.
    is_familiar = await is_known_address(session, found.id if found else 0, address)
    return Attempt(login, address, is_familiar=is_familiar)


def current_address() -> str:
    return current_event_context().client_ip or UNKNOWN_ADDRESS


def doorkeeper_of(request: Request) -> Doorkeeper:
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    return doorkeeper


Door = Annotated[Doorkeeper, Depends(doorkeeper_of)]
