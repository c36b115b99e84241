"""Hourly work: deletion of expired sessions, tokens, counters and unsent e-mails; missing skeletons of usernames."""

from datetime import datetime, timedelta

from stockbuddy.auth.apps import queries as apps
from stockbuddy.auth.email import queue as emails
from stockbuddy.auth.factors import queries as factors
from stockbuddy.auth.logins import queries as logins
from stockbuddy.auth.oauth import queries as oauth
from stockbuddy.auth.oidc import queries as oidc
from stockbuddy.auth.passwords import queries as passwords
from stockbuddy.auth.profile import queries as profile
from stockbuddy.auth.sessions import queries as sessions
from stockbuddy.auth.users.commands import fill_skeletons
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.background import PollingWorker

INTERVAL_SECONDS = 3600
ENDED_SESSION_RETENTION = timedelta(days=30)
EXPIRED_TOKEN_RETENTION = timedelta(days=7)
EXPIRED_CODE_RETENTION = timedelta(days=1)
"""A code that is used again later no longer ends its grant."""
FAILED_EMAIL_RETENTION = timedelta(days=30)
PENDING_FACTOR_RETENTION = timedelta(days=1)
LOGIN_COUNTER_RETENTION = timedelta(days=2)
"""By then every counter has decayed to zero (see logins.throttle)."""
KNOWN_ADDRESS_RETENTION = timedelta(days=90)


def cleanup_worker(database: Database) -> PollingWorker:
    async def run() -> None:
        await delete_expired(database, clock.now())

    return PollingWorker("auth.cleanup", run, interval_seconds=INTERVAL_SECONDS)


async def delete_expired(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await sessions.delete_expired(session, before=now - ENDED_SESSION_RETENTION)
        await apps.delete_expired(session, before=now - ENDED_SESSION_RETENTION)
        await oauth.delete_expired_codes(session, before=now - EXPIRED_CODE_RETENTION)
        await oauth.delete_expired_devices(session, before=now)
        await passwords.delete_expired(session, before=now - EXPIRED_TOKEN_RETENTION)
        await profile.delete_expired(session, before=now - EXPIRED_TOKEN_RETENTION)
        await emails.delete_failed(session, before=now - FAILED_EMAIL_RETENTION)
        await logins.delete_expired_challenges(session, before=now)
        await oidc.delete_expired(session, before=now)
        await factors.delete_expired_challenges(session, before=now)
        await factors.delete_expired_pending(session, before=now - PENDING_FACTOR_RETENTION)
        await logins.delete_expired_counters(session, before=now - LOGIN_COUNTER_RETENTION)
        await logins.delete_expired_addresses(session, before=now - KNOWN_ADDRESS_RETENTION)
        await fill_skeletons(session)
