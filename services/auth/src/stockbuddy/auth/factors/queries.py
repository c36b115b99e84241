"""Queries of second factors."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.factors.model import FactorKind, Passkey, PasskeyChallenge, RecoveryCode, TotpFactor


async def find_totp(session: AsyncSession, user_id: int, *, is_confirmed: bool) -> TotpFactor | None:
    """The user's authenticator app: the one that is confirmed, or the one that is pending."""
    state = TotpFactor.confirmed_at.is_not(None) if is_confirmed else TotpFactor.confirmed_at.is_(None)
    return await session.scalar(select(TotpFactor).where(TotpFactor.user_id == user_id, state))


async def list_kinds(session: AsyncSession, user_id: int) -> list[FactorKind]:
    """The kind of each of the user's confirmed factors, those of disabled passkeys too."""
    app = await find_totp(session, user_id, is_confirmed=True)
    passkeys = [FactorKind.PASSKEY for _ in await list_passkeys(session, user_id)]
    return [FactorKind.TOTP, *passkeys] if app is not None else passkeys


async def count_factors(session: AsyncSession, user_id: int) -> int:
    """The confirmed ones."""
    return len(await list_kinds(session, user_id))


async def delete_totp(session: AsyncSession, factor_id: int) -> None:
    await session.execute(delete(TotpFactor).where(TotpFactor.id == factor_id))


async def delete_pending(session: AsyncSession, user_id: int) -> None:
    await session.execute(delete(TotpFactor).where(TotpFactor.user_id == user_id, TotpFactor.confirmed_at.is_(None)))


async def delete_expired_pending(session: AsyncSession, *, before: datetime) -> None:
    """Delete apps that were set up before that time and never confirmed."""
    await session.execute(delete(TotpFactor).where(TotpFactor.confirmed_at.is_(None), TotpFactor.created_at < before))


async def count_recovery_codes(session: AsyncSession, user_id: int) -> int:
    """The unused ones."""
    unused = (RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return (await session.execute(select(func.count()).where(*unused))).scalar_one()


async def use_recovery_code(session: AsyncSession, digest: bytes, now: datetime) -> bool:
    """False if there is no unused code with this digest: of concurrent uses, one succeeds."""
    unused = (RecoveryCode.digest == digest, RecoveryCode.used_at.is_(None))
    used = await session.execute(update(RecoveryCode).where(*unused).values(used_at=now).returning(RecoveryCode.digest))
    return used.first() is not None


async def replace_recovery_codes(session: AsyncSession, user_id: int, digests: Sequence[bytes], now: datetime) -> None:
    """Delete all codes of the user, and add new ones."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    session.add_all(RecoveryCode(digest=digest, user_id=user_id, created_at=now) for digest in digests)


async def delete_factors(session: AsyncSession, user_id: int) -> None:
    """Delete all factors and recovery codes of the user."""
    for table in (TotpFactor, RecoveryCode, Passkey):
        await session.execute(delete(table).where(table.user_id == user_id))


async def list_passkeys(session: AsyncSession, user_id: int, *, usable_only: bool = False) -> Sequence[Passkey]:
    """The user's passkeys, oldest first; `usable_only`: without disabled ones."""
    statement = select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)
    if usable_only:
        statement = statement.where(Passkey.disabled_at.is_(None))
    return (await session.scalars(statement)).all()


async def find_passkey(session: AsyncSession, credential_id: bytes) -> Passkey | None:
    """The current state of the passkey; its user should be locked."""
    statement = select(Passkey).where(Passkey.credential_id == credential_id)
    return await session.scalar(statement.execution_options(populate_existing=True))


async def delete_passkey_challenge(session: AsyncSession, digest: bytes, now: datetime) -> PasskeyChallenge | None:
    """The started ceremony, unless it has expired. Deleted: of concurrent calls, one finds it."""
    valid = (PasskeyChallenge.digest == digest, PasskeyChallenge.expires_at > now)
    return await session.scalar(delete(PasskeyChallenge).where(*valid).returning(PasskeyChallenge))


async def delete_expired_challenges(session: AsyncSession, *, before: datetime) -> None:
    await session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at < before))
