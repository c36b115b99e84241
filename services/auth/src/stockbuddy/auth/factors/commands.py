"""Sets up, uses and removes second factors. The user is always locked, so that a code is accepted once."""

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import DecryptionError, SecretBox
from stockbuddy.auth.email.model import EmailKind
from stockbuddy.auth.email.queue import queue_email
from stockbuddy.auth.errors import FactorNotFound, InvalidSetupCode, SecondFactorUnavailable
from stockbuddy.auth.factors import queries
from stockbuddy.auth.factors.model import FactorKind, TotpFactor
from stockbuddy.auth.factors.recovery_codes import create_codes, digest_code, normalize_code
from stockbuddy.auth.factors.totp import create_totp_secret, find_step
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.auth import (
    FactorAdded,
    FactorRemoved,
    RecoveryCodesReplaced,
    RecoveryCodeUsed,
    UserUpdated,
)

log = structlog.get_logger(__name__)


async def create_totp_factor(session: AsyncSession, user: User, secret_box: SecretBox) -> tuple[TotpFactor, str]:
    """A pending authenticator app, which replaces an earlier pending one, and its secret."""
    await queries.delete_pending(session, user.id)
    secret = create_totp_secret()
    factor = TotpFactor(user_id=user.id, encrypted_secret=secret_box.encrypt(secret.encode()), created_at=clock.now())
    session.add(factor)
    await session.flush()
    return factor, secret


async def confirm_totp_factor(session: AsyncSession, user: User, code: str, secret_box: SecretBox) -> list[str]:
    """Turn the pending app into the user's second factor, in place of an earlier app. Returns new recovery codes if it
    is the user's first factor. Raises FactorNotFound or InvalidSetupCode."""
    pending = await queries.find_totp(session, user.id, is_confirmed=False)
    if pending is None:
        raise FactorNotFound()
    now = clock.now()
    step = find_step(_decrypt(pending, secret_box), normalize_code(code), now)
    if step is None:
        raise InvalidSetupCode()
    if (replaced := await queries.find_totp(session, user.id, is_confirmed=True)) is not None:
        await queries.delete_totp(session, replaced.id)
    pending.confirmed_at = pending.last_used_at = now
    pending.last_step = step
    return await record_added_factor(session, user, FactorKind.TOTP, secret_box)


async def record_added_factor(session: AsyncSession, user: User, kind: FactorKind, secret_box: SecretBox) -> list[str]:
    """Publish a new factor and notify the user. Returns new recovery codes if it is the first one."""
    outbox.add(session, FactorAdded(user_id=user.id, username=user.username, kind=kind))
    await queue_email(session, EmailKind.FACTORS_CHANGED, user.email, clock.now(), user_id=user.id)
    if user.has_second_factor:
        return []
    _set_has_second_factor(session, user, has_one=True)
    return await replace_recovery_codes(session, user, secret_box)


async def use_code(session: AsyncSession, user: User, code: str, secret_box: SecretBox) -> FactorKind | None:
    """The kind of the code that was entered; None if it is wrong or was used before."""
    now, code = clock.now(), normalize_code(code)
    app = await queries.find_totp(session, user.id, is_confirmed=True)
    if app is not None and code.isdecimal():
        step = find_step(_decrypt(app, secret_box), code, now)
        if step is None or step <= (app.last_step or 0):
            return None
        app.last_step, app.last_used_at = step, now
        return FactorKind.TOTP
    if not await queries.use_recovery_code(session, digest_code(secret_box, user.id, code), now):
        return None
    remaining = await queries.count_recovery_codes(session, user.id)
    outbox.add(session, RecoveryCodeUsed(user_id=user.id, username=user.username, remaining=remaining))
    await queue_email(session, EmailKind.RECOVERY_CODE_USED, user.email, now, user_id=user.id)
    return FactorKind.RECOVERY_CODE


async def replace_recovery_codes(session: AsyncSession, user: User, secret_box: SecretBox) -> list[str]:
    """New recovery codes; the old ones become invalid."""
    codes = create_codes()
    digests = [digest_code(secret_box, user.id, code) for code in codes]
    await queries.replace_recovery_codes(session, user.id, digests, clock.now())
    outbox.add(session, RecoveryCodesReplaced(user_id=user.id, username=user.username))
    return codes


async def remove_totp_factor(session: AsyncSession, user: User, factor_id: int) -> None:
    """With the last factor the recovery codes become invalid. Raises FactorNotFound."""
    app = await queries.find_totp(session, user.id, is_confirmed=True)
    if app is None or app.id != factor_id:
        raise FactorNotFound()
    await queries.delete_totp(session, app.id)
    await record_removed_factor(session, user, FactorKind.TOTP, reason="removed")


async def reset_factors(session: AsyncSession, user: User) -> None:
    """Remove all factors of a user who has lost them."""
    for kind in await queries.list_kinds(session, user.id):
        outbox.add(session, FactorRemoved(user_id=user.id, username=user.username, kind=kind, reason="reset"))
    await queries.delete_factors(session, user.id)
    if user.has_second_factor:
        await queue_email(session, EmailKind.FACTORS_CHANGED, user.email, clock.now(), user_id=user.id)
        _set_has_second_factor(session, user, has_one=False)


async def record_removed_factor(session: AsyncSession, user: User, kind: FactorKind, *, reason: str) -> None:
    """Publish that a factor was removed, and notify the user. Without any factor the recovery codes are deleted."""
    outbox.add(session, FactorRemoved(user_id=user.id, username=user.username, kind=kind, reason=reason))
    await queue_email(session, EmailKind.FACTORS_CHANGED, user.email, clock.now(), user_id=user.id)
    if not await queries.list_kinds(session, user.id):
        await queries.delete_factors(session, user.id)
        _set_has_second_factor(session, user, has_one=False)


def _set_has_second_factor(session: AsyncSession, user: User, *, has_one: bool) -> None:
    changes = {"has_second_factor": {"from": user.has_second_factor, "to": has_one}}
    user.has_second_factor = has_one
    user.touch()
    outbox.add(session, user.to_event(UserUpdated, changes=changes))


def _decrypt(factor: TotpFactor, secret_box: SecretBox) -> str:
    """Raises SecondFactorUnavailable."""
    try:
        return secret_box.decrypt(factor.encrypted_secret).decode()
    except DecryptionError as error:
        log.error("factor.secret_undecryptable", factor_id=factor.id)
        raise SecondFactorUnavailable() from error
