"""Authentication of apps at the endpoints for clients: HTTP Basic, a form, or the client id alone for a public app
(RFC 6749 §2.3)."""

import hmac

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.apps.model import CLIENT_ID_PREFIX, App
from stockbuddy.auth.apps.queries import find_app
from stockbuddy.auth.crypto import digest
from stockbuddy.auth.oauth.errors import InvalidClient, InvalidRequest
from stockbuddy.auth.oauth.requests import TokenRequest
from stockbuddy.chassis.fields import MAX_ID


def parse_app_id(client_id: str) -> int | None:
    """None if it is not the client id of an app."""
    number = client_id.removeprefix(CLIENT_ID_PREFIX)
    # Limited before the conversion: int() takes quadratic time.
    if number == client_id or not number.isascii() or not number.isdecimal() or len(number) > 19:
        return None
    app_id = int(number)
    return app_id if 0 < app_id <= MAX_ID and f"{CLIENT_ID_PREFIX}{app_id}" == client_id else None


async def find_app_by_client_id(session: AsyncSession, client_id: str, *, for_grant: bool = False) -> App | None:
    app_id = parse_app_id(client_id)
    return None if app_id is None else await find_app(session, app_id, for_grant=for_grant)


async def authenticate_app(session: AsyncSession, request: TokenRequest) -> App:
    """The app, which is neither changed nor deleted before this transaction ends. Raises InvalidClient, or
    InvalidRequest for two ways of authentication in one request."""
    if request.uses_basic and request.parameters.get("client_secret"):
        raise InvalidRequest("Authenticate in one way: by HTTP Basic or in the form.")
    if request.uses_basic and request.parameters.get("client_id", request.client_id) != request.client_id:
        raise InvalidRequest("The client ids in the header and in the form differ.")
    app = await find_app_by_client_id(session, request.client_id, for_grant=True)
    secret = request.client[1] if request.client else ""
    if app is None or not _is_authentic(app, secret):
        raise InvalidClient()
    return app


def _is_authentic(app: App, secret: str) -> bool:
    if app.secret_digest is None:
        return not secret
    return bool(secret) and hmac.compare_digest(digest(secret), app.secret_digest)
