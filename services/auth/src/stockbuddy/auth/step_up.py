"""Step-up authentication: sensitive calls require that the user has proved their identity a short while ago.

A user with a second factor must have used it, in the login or in `POST /auth/step-up`. Other users are asked only where
they add a factor: their calls otherwise require the password itself. An API key is a credential of its own: the session
that created it was verified. Apps cannot prove anything and are rejected.
"""

from datetime import timedelta

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.errors import StepUpRequired, UnknownCaller
from stockbuddy.auth.session_ids import parse_session_id
from stockbuddy.auth.sessions.queries import find_session
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.users.queries import find_user
from stockbuddy.chassis.http.authentication import Caller, UserSession, UserSessionRequired
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.runtime import clock


async def require_recent_verification(
    session: AsyncSession, caller: Principal, settings: AuthSettings, *, always: bool = False
) -> None:
    """Raises StepUpRequired, or UserSessionRequired for an app. `always`: also of a user without a second factor, whose
    password then counts."""
    if caller.client_id is not None:
        raise UserSessionRequired()
    session_id = parse_session_id(caller.session_id)
    if session_id is None:
        return
    user = await find_user(session, caller.user_id)
    current = await find_session(session, session_id)
    if user is None or current is None:
        raise UnknownCaller()
    if not user.has_second_factor and not always:
        return
    verified_at = current.second_factor_at if user.has_second_factor else current.authenticated_at
    if verified_at is None or verified_at < clock.now() - timedelta(seconds=settings.step_up_seconds):
        raise StepUpRequired(methods=["code", "passkey"] if user.has_second_factor else ["password"])


@raises(StepUpRequired, UserSessionRequired, UnknownCaller)
async def _require_step_up(caller: Caller, services: Services) -> None:
    async with services.database.reading() as session:
        await require_recent_verification(session, caller, services.settings)


@raises(StepUpRequired, UnknownCaller)
async def _require_reauthentication(caller: UserSession, services: Services) -> None:
    async with services.database.reading() as session:
        await require_recent_verification(session, caller, services.settings, always=True)


STEP_UP = Depends(_require_step_up)
"""Of a route that users with a second factor may call only shortly after using it."""
REAUTHENTICATION = Depends(_require_reauthentication)
"""The same, and other users only shortly after entering their password."""
