"""Routes of the caller's channel preferences."""

from dataclasses import asdict

from fastapi import APIRouter, Response

from stockbuddy.chassis.http.authentication import UserSession
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.notifications.preferences import commands, queries
from stockbuddy.notifications.preferences.queries import Preferences
from stockbuddy.notifications.preferences.schemas import PreferencesResponse, PreferencesUpdate, to_etag

router = APIRouter(prefix="/api/v1/notification-preferences", tags=["notifications"], route_class=ConditionalRoute)


@router.get("")
async def get_notification_preferences(
    caller: UserSession, session: ReadSession, response: Response
) -> PreferencesResponse:
    """Read one's notification preferences.

    For every kind, whether it is shown in the app and sent by e-mail.
    """
    return _to_response(await queries.preferences_of(session, caller.user_id), response)


@router.put("")
async def update_notification_preferences(
    body: PreferencesUpdate, caller: UserSession, session: Session, response: Response, if_match: IfMatch = None
) -> PreferencesResponse:
    """Change one's notification preferences.

    Kinds and channels that are absent keep their values.
    """
    updated = await commands.update_preferences(session, caller.user_id, body, if_match=if_match)
    return _to_response(updated, response)


def _to_response(preferences: Preferences, response: Response) -> PreferencesResponse:
    response.headers["ETag"] = to_etag(preferences)
    return PreferencesResponse.model_validate({kind: asdict(channels) for kind, channels in preferences.items()})
