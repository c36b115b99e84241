"""HTTP of one's own preferences."""

from collections.abc import Mapping

from fastapi import APIRouter

from stockbuddy.chassis.database import ReadSession, Session
from stockbuddy.chassis.etags import CachedRoute
from stockbuddy.chassis.identity import Caller
from stockbuddy.notifications.kinds import Kind
from stockbuddy.notifications.preferences import queries
from stockbuddy.notifications.preferences.commands import change_preferences
from stockbuddy.notifications.preferences.queries import Wish
from stockbuddy.notifications.preferences.schemas import ChangePreferences, Preference, Preferences

router = APIRouter(prefix="/api/v1/notification-preferences", tags=["notifications"], route_class=CachedRoute)


@router.get("")
async def get_notification_preferences(caller: Caller, session: ReadSession) -> Preferences:
    return _view(await queries.wishes_of(session, caller.user_id))


@router.put("")
async def put_notification_preferences(body: ChangePreferences, caller: Caller, session: Session) -> Preferences:
    return _view(await change_preferences(session, caller.user_id, body.root))


def _view(wishes: Mapping[Kind, Wish]) -> Preferences:
    return Preferences({kind: Preference(in_app=wish.in_app, email=wish.email) for kind, wish in wishes.items()})
