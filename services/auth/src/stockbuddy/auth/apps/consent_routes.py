"""HTTP of consents: what one has allowed apps."""

from fastapi import APIRouter

from stockbuddy.auth.apps import grant_commands, queries
from stockbuddy.auth.apps.errors import ConsentNotFound
from stockbuddy.auth.apps.schemas import ConsentResponse, ConsentsResponse
from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.errors import UnknownCaller
from stockbuddy.auth.fields import PathId
from stockbuddy.auth.users.queries import find_user
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import UserSession
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.sessions import ReadSession, Session

router = APIRouter(prefix="/api/v1/auth/consents", tags=["apps"], route_class=ConditionalRoute)


@router.get("")
async def list_consents(caller: UserSession, session: ReadSession) -> ConsentsResponse:
    """List what one has allowed apps.

    The newest consent first.
    """
    rows = await queries.list_consents(session, caller.user_id)
    return ConsentsResponse(
        items=[
            ConsentResponse(
                app_id=app.id,
                client_id=app.client_id,
                name=app.name,
                homepage_url=app.homepage_url,
                scopes=[permission for permission in Permission if permission in consent.scopes],
                granted_at=consent.granted_at,
                last_used_at=last_used_at,
            )
            for consent, app, last_used_at in rows
        ]
    )


@router.delete("/{app_id}", status_code=204)
@raises(ConsentNotFound, UnknownCaller)
async def delete_consent(app_id: PathId, caller: UserSession, session: Session, services: Services) -> None:
    """Withdraw a consent.

    The app's access tokens for one are rejected within a second, and its refresh tokens at once. It may ask again.
    """
    user = await find_user(session, caller.user_id)
    if user is None:
        raise UnknownCaller()
    app = await queries.find_app(session, app_id)
    if app is None or not await grant_commands.withdraw_consent(session, app, user, services.settings):
        raise ConsentNotFound()
