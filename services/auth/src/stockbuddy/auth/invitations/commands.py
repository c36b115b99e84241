"""Creates, revokes and accepts invitations."""

import secrets
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import SecretBox
from stockbuddy.auth.errors import InvalidInvitation, InvitationAlreadyUsed, InvitationNotFound
from stockbuddy.auth.invitations import queries
from stockbuddy.auth.invitations.model import Invitation
from stockbuddy.auth.invitations.schemas import InvitationCreate, SalespersonLogin
from stockbuddy.auth.users.commands import available_username, register_user
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.auth import InvitationCreated, InvitationRevoked, InvitationUsed

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 characters without those that are easily confused when read aloud or written by hand."""

TOKEN_LENGTH = 10


async def create_invitation(
    session: AsyncSession, creator_id: int, body: InvitationCreate, secret_box: SecretBox, *, default_days: int
) -> tuple[Invitation, str]:
    """The invitation and its token."""
    token = "".join(secrets.choice(ALPHABET) for _ in range(TOKEN_LENGTH))
    now = clock.now()
    invitation = Invitation(
        token_digest=token_digest(secret_box, token),
        role=body.role,
        warehouse_ids=body.warehouse_ids,
        note=body.note,
        created_by=creator_id,
        created_at=now,
        expires_at=body.expires_at or now + timedelta(days=default_days),
    )
    session.add(invitation)
    await session.flush()
    outbox.add(session, invitation.to_event(InvitationCreated))
    return invitation, token


async def revoke_invitation(session: AsyncSession, invitation_id: int) -> None:
    """Raises InvitationNotFound or InvitationAlreadyUsed."""
    invitation = await queries.lock_invitation(session, invitation_id)
    if invitation is None:
        raise InvitationNotFound()
    if invitation.is_used:
        raise InvitationAlreadyUsed()
    await session.delete(invitation)
    outbox.add(session, invitation.to_event(InvitationRevoked))


async def accept_invitation(
    session: AsyncSession, body: SalespersonLogin, digest: bytes, password_hash: str, *, confirm_email: bool
) -> User:
    """A new user with the invitation's role and warehouses. Row lock: one concurrent acceptance succeeds, the others
    raise InvalidInvitation."""
    invitation = await queries.lock_invitation_by_token(session, digest)
    now = clock.now()
    if invitation is None or not invitation.is_valid(now):
        raise InvalidInvitation()
    user = await register_user(
        session,
        username=await available_username(session, body.email),
        email=body.email,
        password_hash=password_hash,
        full_name=body.full_name,
        confirm_email=confirm_email,
        role=invitation.role,
        warehouse_ids=invitation.warehouse_ids,
    )
    invitation.used_at, invitation.used_by = now, user.id
    outbox.add(session, invitation.to_event(InvitationUsed, used_by=user.id))
    return user


def token_digest(secret_box: SecretBox, token: str) -> bytes:
    """Case-insensitive: tokens are typed by hand."""
    return secret_box.keyed_digest(token.upper())
