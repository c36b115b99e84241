"""HTTP of one's own preferences."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.etags import ConditionalRoute, require_match
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.notifications.kinds import KINDS, Kind
from stockbuddy.notifications.preferences import queries
from stockbuddy.notifications.preferences.commands import change_preferences
from stockbuddy.notifications.preferences.queries import Wish
from stockbuddy.notifications.preferences.schemas import ChangePreferences, Preference, Preferences

router = APIRouter(prefix="/api/v1/notification-preferences", tags=["notifications"], route_class=ConditionalRoute)


@router.get("")
async def get_notification_preferences(caller: Caller, session: ReadSession, response: Response) -> Preferences:
    return _view(await queries.wishes_of(session, caller.user_id), response)


@router.put("")
async def put_notification_preferences(
    body: ChangePreferences, caller: Caller, session: Session, request: Request, response: Response
) -> Preferences:
    before = await queries.lock_wishes(session, caller.user_id)
    require_match(request, _etag(before))
    return _view(await change_preferences(session, caller.user_id, before, body.root), response)


def _etag(wishes: Mapping[Kind, Wish]) -> str:
    """Says all there is: two marks for each kind, `x` for a way that is wanted."""
    return (
        '"' + "".join("x" if way else "-" for kind in KINDS for way in (wishes[kind].in_app, wishes[kind].email)) + '"'
    )


def _view(wishes: Mapping[Kind, Wish], response: Response) -> Preferences:
    response.headers["ETag"] = _etag(wishes)
    return Preferences({kind: Preference(in_app=wish.in_app, email=wish.email) for kind, wish in wishes.items()})
