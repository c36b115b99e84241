"""Makes invitations, takes them back, and lets each be used once."""

import re
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.errors import InvalidCredentials
from stockbuddy.auth.invitations import queries
from stockbuddy.auth.invitations.model import Invitation
from stockbuddy.auth.invitations.schemas import CreateInvitation, EnterAsSalesperson
from stockbuddy.auth.crypto import Seal
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.users.commands import register_user
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import is_username_taken
from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.auth import InvitationCreated, InvitationRevoked, InvitationUsed

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 characters that are not taken for one another when read out or written down."""

TOKEN_LENGTH = 10
LONGEST_USERNAME = 64


async def create_invitation(
    session: AsyncSession, maker_id: int, wish: CreateInvitation, seal: Seal, settings: AuthSettings
) -> tuple[Invitation, str]:
    """The invitation and its token."""
    token = "".join(secrets.choice(ALPHABET) for _ in range(TOKEN_LENGTH))
    now = datetime.now(UTC)
    invitation = Invitation(
        token_digest=token_digest(seal, token),
        role=wish.role,
        warehouse_ids=None if wish.warehouse_ids is None else sorted(set(wish.warehouse_ids)),
        note=wish.note,
        created_by=maker_id,
        created_at=now,
        expires_at=wish.expires_at or now + timedelta(days=settings.invitation_days),
    )
    session.add(invitation)
    await session.flush()
    outbox.add(session, invitation.said_as(InvitationCreated))
    return invitation, token


async def revoke_invitation(session: AsyncSession, invitation: Invitation) -> None:
    """`invitation` is locked and unused."""
    await session.delete(invitation)
    outbox.add(session, invitation.said_as(InvitationRevoked))


async def accept_invitation(session: AsyncSession, wish: EnterAsSalesperson, digest: bytes, password_hash: str) -> User:
    """A new user of the invitation's role. The lock lets one of several at once win; the others learn what somebody
    with no invitation learns: InvalidCredentials."""
    invitation = await queries.lock_invitation_by_token(session, digest)
    now = datetime.now(UTC)
    if invitation is None or not invitation.works(now):
        raise InvalidCredentials()
    user = await register_user(
        session,
        username=await _free_username(session, wish.email),
        email=wish.email,
        password_hash=password_hash,
        full_name=wish.full_name,
        role=invitation.role,
        warehouse_ids=invitation.warehouse_ids,
    )
    invitation.used_at, invitation.used_by = now, user.id
    outbox.add(session, invitation.said_as(InvitationUsed, used_by=user.id))
    return user


def token_digest(seal: Seal, token: str) -> bytes:
    """Tokens are typed by people, who don't mind capitals."""
    return seal.keyed_digest(token.upper())


async def _free_username(session: AsyncSession, email: str) -> str:
    """From the address' first part: `ann.lee`, or `ann.lee-1f3a` where that is somebody else's."""
    local_part = email.partition("@")[0]
    wanted = re.sub(r"[^\w.+-]", "", local_part).lstrip(".+-")[: LONGEST_USERNAME - 9] or "user"
    username = wanted if len(wanted) > 1 else f"{wanted}-{secrets.token_hex(2)}"
    while await is_username_taken(session, username):
        username = f"{wanted}-{secrets.token_hex(4)}"
    return username
