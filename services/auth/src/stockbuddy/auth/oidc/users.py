"""Finds or registers the user of a verified sign-in, and applies the role of their groups."""

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.errors import LastAdmin
from stockbuddy.auth.fields import MAX_EMAIL_LENGTH, normalize_email
from stockbuddy.auth.identity_providers.configuration import IdentityProvider
from stockbuddy.auth.oidc import queries
from stockbuddy.auth.oidc.errors import AccountInactive, EmailNotConfirmed, EmailNotVerified, NoRole, UnknownAccount
from stockbuddy.auth.oidc.model import OidcIdentity
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.user_management.commands import lock_for_update, update_user
from stockbuddy.auth.users.commands import available_username, register_user
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import find_user_by_email
from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.event_context import set_actor
from stockbuddy.contracts.auth import IdentityLinked

log = structlog.get_logger(__name__)

MAX_FULL_NAME_LENGTH = 200


async def find_or_register_user(
    session: AsyncSession, provider: IdentityProvider, claims: Mapping[str, Any], unusable_hash: str
) -> User:
    """The user of the identity, locked; an unknown identity is linked to the user with its verified address, or to a
    new one. `unusable_hash`: of a password that no one knows. Raises a Forbidden that says why the user is rejected."""
    role = _require_role(provider, claims)
    now, issuer = clock.now(), provider.issuer
    identity = await queries.lock_identity(session, issuer, claims["sub"])
    if identity is None:
        user = await _match_or_register(session, provider, claims, role, unusable_hash)
        identity = OidcIdentity(issuer=issuer, subject=claims["sub"], user_id=user.id, created_at=now)
        session.add(identity)
        set_actor(user.id, user.username)
        outbox.add(session, IdentityLinked(user_id=user.id, username=user.username, provider=provider.name))
    identity.last_used_at = now
    user, _ = await lock_for_update(session, identity.user_id)
    if not user.is_active:
        raise AccountInactive()
    set_actor(user.id, user.username)
    return user


async def apply_role(
    session: AsyncSession, provider: IdentityProvider, claims: Mapping[str, Any], user: User, settings: AuthSettings
) -> None:
    """The provider decides about roles if it maps groups. The last admin stays one."""
    role = _require_role(provider, claims)
    if not provider.roles or user.role == role:
        return
    user, admins = await lock_for_update(session, user.id)
    try:
        await update_user(session, user, admins, {"role": role}, settings)
    except LastAdmin:
        log.warning("oidc.last_admin_keeps_role", provider=provider.name, user_id=user.id)


async def _match_or_register(
    session: AsyncSession, provider: IdentityProvider, claims: Mapping[str, Any], role: Role, unusable_hash: str
) -> User:
    email = _verified_email(claims)
    found = await find_user_by_email(session, email)
    if found is not None:
        # Someone else may have registered the address with a password that they know.
        if not found.email_confirmed:
            raise EmailNotConfirmed()
        return found
    if not provider.creates_users:
        raise UnknownAccount()
    name = claims.get("name")
    return await register_user(
        session,
        username=await available_username(session, email),
        email=email,
        email_confirmed=True,
        password_hash=unusable_hash,
        full_name=" ".join(name.split())[:MAX_FULL_NAME_LENGTH] or None if isinstance(name, str) else None,
        confirm_email=False,
        role=role,
    )


def _verified_email(claims: Mapping[str, Any]) -> str:
    """Raises EmailNotVerified."""
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str) or len(email) > MAX_EMAIL_LENGTH:
        raise EmailNotVerified()
    try:
        return normalize_email(email)
    except ValueError as error:
        raise EmailNotVerified() from error


def _require_role(provider: IdentityProvider, claims: Mapping[str, Any]) -> Role:
    """Raises NoRole."""
    groups = claims.get(provider.groups_claim)
    role = provider.role_of([group for group in groups if isinstance(group, str)] if isinstance(groups, list) else [])
    if role is None:
        raise NoRole()
    return role
