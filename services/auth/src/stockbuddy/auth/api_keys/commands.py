"""Makes API keys and takes them back."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.api_keys import queries
from stockbuddy.auth.api_keys.model import ApiKey, exceeds_role, exceeds_warehouses
from stockbuddy.auth.api_keys.schemas import CreateApiKey
from stockbuddy.auth.errors import RoleTooHigh, WarehousesTooWide
from stockbuddy.auth.crypto import digest, make_secret
from stockbuddy.auth.sessions.commands import revoke_tokens
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.contracts.auth import ApiKeyCreated, ApiKeyRevoked, ApiKeyState

State = TypeVar("State", bound=ApiKeyState)

PREFIX = "sbk_"
"""Lets people, and scanners for leaked secrets, see what it is."""

HINT_LENGTH = 4


async def create_api_key(session: AsyncSession, maker: Principal, wish: CreateApiKey) -> tuple[ApiKey, str]:
    """The key and its secret. Raises RoleTooHigh or WarehousesTooWide."""
    role = wish.role or maker.role
    if exceeds_role(role, maker.role):
        raise RoleTooHigh()
    if exceeds_warehouses(wish.warehouse_ids, maker.warehouse_ids):
        raise WarehousesTooWide()
    secret = PREFIX + make_secret()
    key = ApiKey(
        owner_id=maker.user_id,
        name=wish.name,
        digest=digest(secret),
        hint=secret[-HINT_LENGTH:],
        role=role,
        warehouse_ids=None if wish.warehouse_ids is None else sorted(set(wish.warehouse_ids)),
        generation=0,
        created_at=datetime.now(UTC),
        expires_at=wish.expires_at,
    )
    session.add(key)
    await session.flush()
    outbox.add(session, _said_as(key, ApiKeyCreated))
    return key, secret


def revoke_api_key(session: AsyncSession, key: ApiKey, settings: AuthSettings, *, reason: str) -> None:
    """`key` is locked and live. Tokens that were given out for it are refused as well."""
    key.revoked_at = datetime.now(UTC)
    revoke_tokens(session, key.sid, settings)
    outbox.add(session, _said_as(key, ApiKeyRevoked, reason=reason))


async def revoke_keys_of(session: AsyncSession, owner: User, settings: AuthSettings, *, reason: str) -> None:
    """All keys of somebody who may do nothing any more."""
    for key in await queries.lock_live_keys(session, owner.id):
        revoke_api_key(session, key, settings, reason=reason)


async def fit_keys_to_owner(session: AsyncSession, owner: User, settings: AuthSettings) -> None:
    """After a change of the owner's role or warehouses: keys that may do more than their owner are taken back.
    Of the others only the tokens are, since what these say is no longer true."""
    for key in await queries.lock_live_keys(session, owner.id):
        if key.exceeds(owner.role, owner.warehouse_ids):
            revoke_api_key(session, key, settings, reason="owner_role_changed")
        else:
            revoke_tokens(session, key.sid, settings)
            key.generation += 1


def _said_as(key: ApiKey, event: type[State], **more: Any) -> State:
    return event(
        api_key_id=key.id,
        owner_id=key.owner_id,
        name=key.name,
        role=key.role.value,
        warehouse_ids=key.warehouse_ids,
        expires_at=key.expires_at,
        **more,
    )
