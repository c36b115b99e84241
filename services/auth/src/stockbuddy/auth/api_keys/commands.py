"""Creates, restricts and revokes API keys."""

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.api_keys import queries
from stockbuddy.auth.api_keys.model import ApiKey
from stockbuddy.auth.api_keys.schemas import ApiKeyCreate
from stockbuddy.auth.crypto import create_secret, digest
from stockbuddy.auth.roles.errors import ScopesExceedRole
from stockbuddy.auth.roles.grants import load_assignable
from stockbuddy.auth.roles.queries import load_rights
from stockbuddy.auth.sessions.commands import revoke_tokens
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.auth import ApiKeyCreated, ApiKeyRevoked

PREFIX = "sbk_"
"""Identifies the secret to readers and to scanners for leaked secrets."""

HINT_LENGTH = 4


async def create_api_key(session: AsyncSession, creator: Principal, body: ApiKeyCreate) -> tuple[ApiKey, str]:
    """The key and its secret. Raises UnknownRole, RightsExceeded or ScopesExceedRole."""
    role = body.role or creator.role
    warehouse_ids = body.warehouse_ids
    if warehouse_ids is None and creator.warehouse_ids is not None:
        warehouse_ids = sorted(creator.warehouse_ids)
    rights = await load_assignable(session, creator, role, warehouse_ids)
    if body.scopes is not None and not rights.permissions.issuperset(body.scopes):
        raise ScopesExceedRole()
    secret = PREFIX + create_secret()
    key = ApiKey(
        owner_id=creator.user_id,
        name=body.name,
        digest=digest(secret),
        hint=secret[-HINT_LENGTH:],
        role=role,
        scopes=body.scopes,
        networks=body.networks,
        warehouse_ids=body.warehouse_ids,
        token_generation=0,
        created_at=clock.now(),
        expires_at=body.expires_at,
    )
    session.add(key)
    await session.flush()
    outbox.add(session, key.to_event(ApiKeyCreated))
    return key, secret


def revoke_api_key(session: AsyncSession, key: ApiKey, settings: AuthSettings, *, reason: str) -> None:
    """Revoke the key and its access tokens. `key` is locked and not revoked."""
    key.revoked_at = clock.now()
    revoke_tokens(session, key.sid, settings)
    outbox.add(session, key.to_event(ApiKeyRevoked, reason=reason))


async def revoke_keys_of(session: AsyncSession, owner: User, settings: AuthSettings, *, reason: str) -> None:
    """Revoke all API keys of a deactivated user."""
    for key in await queries.lock_keys(session, owner.id):
        revoke_api_key(session, key, settings, reason=reason)


async def restrict_keys_to_owner(session: AsyncSession, owner: User, settings: AuthSettings) -> None:
    """After a change of the owner's role or warehouses: revoke keys that exceed them. Of the other keys revoke the
    access tokens only, whose claims are outdated."""
    limit = await load_rights(session, owner.role, owner.warehouse_ids)
    for key in await queries.lock_keys(session, owner.id):
        warehouse_ids = owner.warehouse_ids if key.warehouse_ids is None else key.warehouse_ids
        if (await load_rights(session, key.role, warehouse_ids)).within(key.scopes).exceed(limit):
            revoke_api_key(session, key, settings, reason="owner_role_changed")
        else:
            revoke_tokens(session, key.sid, settings)
            key.token_generation += 1
