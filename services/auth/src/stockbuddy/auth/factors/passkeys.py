"""Registers, uses, disables and removes passkeys. The user is always locked."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import SecretBox, create_secret, digest
from stockbuddy.auth.email.model import EmailKind
from stockbuddy.auth.email.queue import queue_email
from stockbuddy.auth.errors import PasskeyExists, PasskeyNotFound, TooManyPasskeys, WrongPasskey
from stockbuddy.auth.factors import queries
from stockbuddy.auth.factors.commands import record_added_factor, record_removed_factor
from stockbuddy.auth.factors.model import CeremonyPurpose, FactorKind, Passkey, PasskeyChallenge
from stockbuddy.auth.factors.relying_party import RelyingParty, UnverifiableResponse, transports
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.auth import FactorDisabled

CEREMONY_LIFETIME = timedelta(minutes=5)
MAX_PASSKEYS = 20


def start_ceremony(session: AsyncSession, purpose: CeremonyPurpose, user_id: int | None) -> tuple[str, bytes]:
    """The token that the client sends back with the response, and the challenge that the authenticator signs."""
    token = create_secret()
    expires_at = clock.now() + CEREMONY_LIFETIME
    session.add(PasskeyChallenge(digest=digest(token), purpose=purpose, user_id=user_id, expires_at=expires_at))
    return token, digest(token)


async def finish_ceremony(session: AsyncSession, token: str, purpose: CeremonyPurpose, user_id: int | None) -> bool:
    """True once: if this ceremony was started by this user and has not expired."""
    found = await queries.delete_passkey_challenge(session, digest(token), clock.now())
    return found is not None and (found.purpose, found.user_id) == (purpose, user_id)


async def register_passkey(
    session: AsyncSession,
    user: User,
    credential: Mapping[str, Any],
    name: str,
    *,
    challenge: bytes,
    relying_party: RelyingParty,
    secret_box: SecretBox,
) -> tuple[Passkey, list[str]]:
    """The passkey, and new recovery codes if it is the user's first factor. Raises WrongPasskey, PasskeyExists or
    TooManyPasskeys."""
    if len(await queries.list_passkeys(session, user.id)) >= MAX_PASSKEYS:
        raise TooManyPasskeys()
    try:
        verified = relying_party.verify_registration(credential, challenge)
    except UnverifiableResponse as error:
        raise WrongPasskey() from error
    passkey = Passkey(
        user_id=user.id,
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        name=name,
        transports=transports(credential),
        is_backed_up=verified.credential_backed_up,
        created_at=clock.now(),
    )
    session.add(passkey)
    try:
        await session.flush()
    except IntegrityError as error:
        if "passkey_credential_id_key" in str(error.orig):
            raise PasskeyExists() from error
        raise
    return passkey, await record_added_factor(session, user, FactorKind.PASSKEY, secret_box)


def record_use(passkey: Passkey, sign_count: int) -> None:
    passkey.sign_count = sign_count
    passkey.last_used_at = clock.now()


async def disable_passkey(session: AsyncSession, user: User, passkey: Passkey) -> None:
    """After its counter revealed a copy. Logins still require a second factor: another one, or a recovery code."""
    passkey.disabled_at = now = clock.now()
    event = FactorDisabled(user_id=user.id, username=user.username, kind=FactorKind.PASSKEY, reason="copied")
    outbox.add(session, event)
    await queue_email(session, EmailKind.PASSKEY_DISABLED, user.email, now, user_id=user.id)


async def remove_passkey(session: AsyncSession, user: User, passkey_id: int) -> None:
    """With the last factor the recovery codes become invalid. Raises PasskeyNotFound."""
    passkey = await session.get(Passkey, passkey_id)
    if passkey is None or passkey.user_id != user.id:
        raise PasskeyNotFound()
    await session.delete(passkey)
    await session.flush()
    await record_removed_factor(session, user, FactorKind.PASSKEY, reason="removed")
