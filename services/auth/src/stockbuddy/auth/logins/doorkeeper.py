"""Decides who gets in by name and password, wherever these are asked for.

The slow hash is computed with no connection to the database held, and costs the same whether the user exists or not.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.errors import InvalidCredentials
from stockbuddy.auth.hashing import PasswordHasher
from stockbuddy.auth.users import queries
from stockbuddy.auth.users.model import User
from stockbuddy.chassis import outbox
from stockbuddy.chassis.database import Database
from stockbuddy.contracts.auth import LoginFailed

LOGIN_SHOWN = 100


class Doorkeeper:
    def __init__(self, database: Database, hasher: PasswordHasher) -> None:
        self._database = database
        self._hasher = hasher

    @asynccontextmanager
    async def admitting(self, login: str, password: str) -> AsyncIterator[tuple[AsyncSession, User]]:
        """A transaction and the user who belongs to the credentials. Raises InvalidCredentials, after the failure
        was put on record, whatever it was that did not fit."""
        async with self._database.reading() as session:
            found = await queries.user_by_login(session, login)
        matches, newer_hash = await self._hasher.verify(password, found.password_hash if found else None)
        if found is None or not matches or not found.is_active:
            await self._record_failure(login, found, matches=matches)
            raise InvalidCredentials()
        async with self._database.transaction() as session:
            user = await queries.lock_user(session, found.id)
            if user is None or not user.is_active or user.password_hash != found.password_hash:
                raise InvalidCredentials()  # They changed while the hash was computed.
            if newer_hash:
                user.password_hash = newer_hash
            yield session, user

    async def _record_failure(self, login: str, found: User | None, *, matches: bool) -> None:
        reason = "unknown_user" if found is None else "deactivated" if matches else "wrong_password"
        failed = LoginFailed(login=login[:LOGIN_SHOWN], user_id=found.id if found else None, reason=reason)
        async with self._database.transaction() as session:
            outbox.add(session, failed)


def doorkeeper_of(request: Request) -> Doorkeeper:
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    return doorkeeper


Door = Annotated[Doorkeeper, Depends(doorkeeper_of)]
