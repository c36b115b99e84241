"""Puts the gateway's denials on record, and notes when sessions and API keys were used last."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.api_keys import queries as api_keys
from stockbuddy.auth.internal_api.schemas import Denial, Use
from stockbuddy.auth.sessions import queries as sessions
from stockbuddy.auth.session_ids import key_id_of, session_id_of
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.event_context import EventContext, event_context
from stockbuddy.contracts.auth import AccessDenied

GATEWAY = "gateway"


def record_denials(session: AsyncSession, denials: Iterable[Denial]) -> None:
    """Each with the origin of the request that was denied, not of the report."""
    for denial in denials:
        origin = EventContext(
            actor_id=denial.user_id,
            actor_name=denial.username,
            client_ip=denial.client_ip,
            request_id=denial.request_id,
            traceparent=denial.traceparent,
        )
        said = AccessDenied(
            service=GATEWAY, method=denial.method, path=denial.path, code=denial.code, user_id=denial.user_id
        )
        with event_context(origin):
            outbox.add(session, said)


async def note_uses(session: AsyncSession, uses: Iterable[Use]) -> None:
    """What is neither a session nor a key is passed over. A gateway's clock that is ahead of ours counts as ours."""
    now = datetime.now(UTC)
    of_sessions: dict[uuid.UUID, datetime] = {}
    of_keys: dict[int, datetime] = {}
    for use in uses:
        at = min(use.at, now)
        if (session_id := session_id_of(use.session_id)) is not None:
            of_sessions[session_id] = max(at, of_sessions.get(session_id, at))
        elif (key_id := key_id_of(use.session_id)) is not None:
            of_keys[key_id] = max(at, of_keys.get(key_id, at))
    await sessions.note_uses(session, of_sessions)
    await api_keys.note_uses(session, of_keys)
