"""Records what the gateway reports: denied requests, and the last use of sessions, API keys and apps."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.api_keys import queries as api_keys
from stockbuddy.auth.apps import queries as apps
from stockbuddy.auth.session_ids import parse_grant_id, parse_key_id, parse_session_id
from stockbuddy.auth.sessions import queries as sessions
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.event_context import EventContext, event_context
from stockbuddy.contracts.auth import AccessDenied
from stockbuddy.contracts.internal import DeniedRequest, LastUsed

GATEWAY = "gateway"


def record_denials(session: AsyncSession, denied: Iterable[DeniedRequest]) -> None:
    """Publish each denied request, in the context of that request rather than of the report."""
    for request in denied:
        context = EventContext(
            actor_id=request.user_id,
            actor_name=request.username,
            client_ip=request.client_ip,
            request_id=request.request_id,
            traceparent=request.traceparent,
        )
        event = AccessDenied(
            service=GATEWAY, method=request.method, path=request.path, code=request.code, user_id=request.user_id
        )
        with event_context(context):
            outbox.add(session, event)


async def record_last_used(session: AsyncSession, reported: Iterable[LastUsed]) -> None:
    """Ignores ids of unknown form. Times in the future (clock difference) count as now."""
    now = clock.now()
    session_times: dict[uuid.UUID, datetime] = {}
    key_times: dict[int, datetime] = {}
    grant_times: dict[int, datetime] = {}
    for last_used in reported:
        used_at = min(last_used.used_at, now)
        if (session_id := parse_session_id(last_used.session_id)) is not None:
            session_times[session_id] = max(used_at, session_times.get(session_id, used_at))
        elif (key_id := parse_key_id(last_used.session_id)) is not None:
            key_times[key_id] = max(used_at, key_times.get(key_id, used_at))
        elif (grant_id := parse_grant_id(last_used.session_id)) is not None:
            grant_times[grant_id] = max(used_at, grant_times.get(grant_id, used_at))
    await sessions.record_last_used(session, session_times)
    await api_keys.record_last_used(session, key_times)
    await apps.record_last_used(session, grant_times)
