"""Counts failed logins and forgives them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.errors import TooManyAttempts
from stockbuddy.auth.logins import queries
from stockbuddy.auth.logins.model import LoginThrottle
from stockbuddy.auth.logins.throttle import LOGIN_AT_ADDRESS, Attempt, Scope, seconds_until
from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.auth import LoginFailed, UserLockedOut

LOGIN_SHOWN = 100


async def require_no_pause(session: AsyncSession, attempt: Attempt) -> None:
    """Raises TooManyAttempts while a pause lasts."""
    now = datetime.now(UTC)
    if until := await queries.blocked_until(session, attempt.keys().keys(), now):
        raise TooManyAttempts(seconds_until(until, now))


async def count_failure(
    session: AsyncSession, attempt: Attempt, user_id: int | None, *, reason: str, first_pause_seconds: int
) -> None:
    """Raises TooManyAttempts instead when others have failed so often meanwhile that this attempt came too late:
    then it must not tell what it found out."""
    scopes = attempt.keys()
    now = datetime.now(UTC)
    counts = await queries.make_and_lock_counts(session, list(scopes), now)
    _require_none_blocked(counts, now)
    login = attempt.login[:LOGIN_SHOWN]
    outbox.add(session, LoginFailed(login=login, user_id=user_id, reason=reason))
    for count in counts:
        scope = scopes[count.key]
        if seconds := _count(count, scope, now, first_pause_seconds):
            said = UserLockedOut(
                login=login, user_id=user_id, scope=scope.name, failures=count.failures, seconds=seconds
            )
            outbox.add(session, said)


async def forgive(session: AsyncSession, attempt: Attempt, user_id: int) -> None:
    """After a right password. Raises TooManyAttempts as `count_failure` does."""
    now = datetime.now(UTC)
    scopes = attempt.keys()
    counts = await queries.lock_counts(session, scopes.keys())
    _require_none_blocked(counts, now)
    await queries.delete_counts(session, [key for key, scope in scopes.items() if scope is LOGIN_AT_ADDRESS])
    await queries.remember_address(session, user_id, attempt.address, now)


async def forgive_everything(session: AsyncSession, attempt: Attempt, user_id: int) -> None:
    """After a proof by e-mail: whoever failed with this name before, it was not them."""
    await queries.delete_counts(session, attempt.keys().keys())
    await queries.remember_address(session, user_id, attempt.address, datetime.now(UTC))


def _count(count: LoginThrottle, scope: Scope, now: datetime, first_pause_seconds: int) -> int:
    """One failure more; the seconds to wait for it."""
    count.failures = scope.remaining(count.failures, now - count.counted_at) + 1
    count.counted_at = now
    seconds = scope.pause_seconds(count.failures, first_pause_seconds)
    count.blocked_until = now + timedelta(seconds=seconds) if seconds else None
    return seconds


def _require_none_blocked(counts: Sequence[LoginThrottle], now: datetime) -> None:
    ends = [count.blocked_until for count in counts if count.blocked_until and count.blocked_until > now]
    if ends:
        raise TooManyAttempts(seconds_until(max(ends), now))
