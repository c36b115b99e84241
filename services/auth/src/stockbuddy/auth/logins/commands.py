"""Counting of failed logins, and resets of the counters."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.errors import TooManyAttempts
from stockbuddy.auth.hashing import client_network
from stockbuddy.auth.logins import queries
from stockbuddy.auth.logins.model import LoginCounter
from stockbuddy.auth.logins.throttle import LOGIN_AT_ADDRESS, Attempt, Scope, seconds_until
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.repetitions import RepetitionCounter
from stockbuddy.contracts.auth import UNKNOWN_LOGIN, LoginFailed, UserLockedOut


async def require_not_throttled(session: AsyncSession, attempt: Attempt) -> None:
    """Raises TooManyAttempts while a backoff is in force."""
    now = clock.now()
    if until := await queries.find_blocked_until(session, attempt.keys().keys(), now):
        raise TooManyAttempts(seconds_until(until, now))


class FailureRecorder:
    """Counts failed logins and publishes them. `failed_logins` limits how often equal ones are published: an attacker
    has as many names as they like, so unknown ones count together."""

    def __init__(self, failed_logins: RepetitionCounter, first_backoff_seconds: int) -> None:
        self._failed_logins = failed_logins
        self._first_backoff_seconds = first_backoff_seconds

    async def record(self, session: AsyncSession, attempt: Attempt, user: User | None, *, reason: str) -> None:
        """Count the failure and publish it, without what was entered for an unknown user. Raises TooManyAttempts if
        concurrent attempts have started a backoff: the response must not reveal the result of this attempt."""
        scopes = attempt.keys()
        now = clock.now()
        counters = await queries.create_and_lock_counters(session, list(scopes), now)
        _require_none_blocked(counters, now)
        login = {
            "login": user.username if user else UNKNOWN_LOGIN,
            "login_digest": None if user else attempt.login_digest.hex(),
            "user_id": user.id if user else None,
        }
        repetitions = self._failed_logins.count((client_network(attempt.address), login["user_id"], reason))
        if repetitions is not None:
            outbox.add(session, LoginFailed.model_validate(login | {"reason": reason, "repetitions": repetitions}))
        for counter in counters:
            scope = scopes[counter.key]
            if seconds := _increment(counter, scope, now, self._first_backoff_seconds):
                lockout = {"scope": scope.name, "failures": counter.failures, "seconds": seconds}
                outbox.add(session, UserLockedOut.model_validate(login | lockout))


async def reset_failures(session: AsyncSession, attempt: Attempt, user_id: int, *, is_logged_in: bool = True) -> None:
    """Reset the counter of this login at this address after a success. Unless a second factor is still awaited
    (`is_logged_in` false), the address is known from now on. Raises TooManyAttempts like `FailureRecorder.record`."""
    now = clock.now()
    scopes = attempt.keys()
    _require_none_blocked(await queries.lock_counters(session, scopes.keys()), now)
    await queries.delete_counters(session, [key for key, scope in scopes.items() if scope is LOGIN_AT_ADDRESS])
    if is_logged_in:
        await queries.record_address(session, user_id, attempt.address, now)


async def reset_all_failures(session: AsyncSession, attempt: Attempt, user_id: int) -> None:
    """Reset all failure counters after a password reset by e-mail."""
    await queries.delete_counters(session, attempt.keys().keys())
    await queries.record_address(session, user_id, attempt.address, clock.now())


def _increment(counter: LoginCounter, scope: Scope, now: datetime, first_backoff_seconds: int) -> int:
    """Count one failure; the resulting backoff in seconds."""
    counter.failures = scope.remaining_failures(counter.failures, now - counter.counted_at) + 1
    counter.counted_at = now
    seconds = scope.backoff_seconds(counter.failures, first_backoff_seconds)
    counter.blocked_until = now + timedelta(seconds=seconds) if seconds else None
    return seconds


def _require_none_blocked(counters: Sequence[LoginCounter], now: datetime) -> None:
    blocked = [counter.blocked_until for counter in counters if counter.blocked_until and counter.blocked_until > now]
    if blocked:
        raise TooManyAttempts(seconds_until(max(blocked), now))
