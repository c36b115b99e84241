"""Creates, restricts and revokes API keys."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.api_keys import queries
from stockbuddy.auth.api_keys.model import ApiKey, exceeds_role, exceeds_warehouses
from stockbuddy.auth.api_keys.schemas import ApiKeyCreate
from stockbuddy.auth.crypto import create_secret, digest
from stockbuddy.auth.errors import RoleTooHigh, WarehousesTooWide
from stockbuddy.auth.sessions.commands import revoke_tokens
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.auth import ApiKeyCreated, ApiKeyRevoked

PREFIX = "sbk_"
"""Identifies the secret to readers and to scanners for leaked secrets."""

HINT_LENGTH = 4


async def create_api_key(session: AsyncSession, creator: Principal, body: ApiKeyCreate) -> tuple[ApiKey, str]:
    """The key and its secret. Raises RoleTooHigh or WarehousesTooWide."""
    role = body.role or creator.role
    if exceeds_role(role, creator.role):
        raise RoleTooHigh()
    if exceeds_warehouses(body.warehouse_ids, creator.warehouse_ids):
        raise WarehousesTooWide()
    secret = PREFIX + create_secret()
    key = ApiKey(
        owner_id=creator.user_id,
        name=body.name,
        digest=digest(secret),
        hint=secret[-HINT_LENGTH:],
        role=role,
        warehouse_ids=body.warehouse_ids,
        token_generation=0,
        created_at=datetime.now(UTC),
        expires_at=body.expires_at,
    )
    session.add(key)
    await session.flush()
    outbox.add(session, key.to_event(ApiKeyCreated))
    return key, secret


def revoke_api_key(session: AsyncSession, key: ApiKey, settings: AuthSettings, *, reason: str) -> None:
    """Revoke the key and its access tokens. `key` is locked and not revoked."""
    key.revoked_at = datetime.now(UTC)
    revoke_tokens(session, key.sid, settings)
    outbox.add(session, key.to_event(ApiKeyRevoked, reason=reason))


async def revoke_keys_of(session: AsyncSession, owner: User, settings: AuthSettings, *, reason: str) -> None:
    """Revoke all API keys of a deactivated user."""
    for key in await queries.lock_keys(session, owner.id):
        revoke_api_key(session, key, settings, reason=reason)


async def restrict_keys_to_owner(session: AsyncSession, owner: User, settings: AuthSettings) -> None:
    """After a change of the owner's role or warehouses: revoke keys that exceed them. Of the other keys revoke the
    access tokens only, whose claims are outdated."""
    for key in await queries.lock_keys(session, owner.id):
        if key.exceeds(owner.role, owner.warehouse_ids):
            revoke_api_key(session, key, settings, reason="owner_role_changed")
        else:
            revoke_tokens(session, key.sid, settings)
            key.token_generation += 1
