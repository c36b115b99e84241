"""HTTP of the device flow (RFC 8628): the device's request, and the page on which its user enters the code."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from stockbuddy.auth.apps.grant_commands import grant_consent
from stockbuddy.auth.apps.model import App
from stockbuddy.auth.apps.queries import find_app
from stockbuddy.auth.dependencies import AuthServices, Services
from stockbuddy.auth.errors import TooManyAttempts
from stockbuddy.auth.fields import UserAgent
from stockbuddy.auth.logins.authenticator import current_address
from stockbuddy.auth.logins.commands import FailureRecorder, require_not_throttled
from stockbuddy.auth.logins.schemas import FORM
from stockbuddy.auth.logins.throttle import Attempt
from stockbuddy.auth.oauth import devices
from stockbuddy.auth.oauth.authorization_requests import RejectedByPage, require_scopes
from stockbuddy.auth.oauth.client_authentication import authenticate_app
from stockbuddy.auth.oauth.consent_page import consent_page
from stockbuddy.auth.oauth.errors import InvalidClient, InvalidRequest, InvalidScope, UnauthorizedClient
from stockbuddy.auth.oauth.page_forms import FORM_BODY, HTML_PAGE, read_form
from stockbuddy.auth.oauth.page_login import ACTIONS, LoginPage, PageLogin
from stockbuddy.auth.oauth.pages import error_page, redirect, render_page
from stockbuddy.auth.oauth.queries import find_undecided
from stockbuddy.auth.oauth.requests import TokenForm
from stockbuddy.auth.oauth.visitors import Visitor, load_visitor
from stockbuddy.auth.roles.queries import load_rights
from stockbuddy.auth.sessions.tokens import forbid_caching
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.runtime import clock

router = APIRouter(prefix="/api/v1/oauth/device", tags=["apps"])
"""Without StrictQueryRoute: unknown parameters are ignored (RFC 6749 §3.2)."""

PATH = "/api/v1/oauth/device"
MAX_USER_CODE_LENGTH = 20
UNKNOWN_CODE = "This code is unknown or no longer valid. Compare it with the one on the device."


class DeviceAuthorizationResponse(BaseModel):
    """A started authorization (RFC 8628 §3.2)."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


def _device_body() -> dict[str, Any]:
    properties = {name: {"type": "string"} for name in ("client_id", "client_secret", "scope")}
    schema = {"title": "DeviceAuthorizationRequest", "type": "object", "properties": properties}
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}


@router.post("", dependencies=[PUBLIC], openapi_extra=_device_body())
@raises(InvalidRequest, InvalidClient, UnauthorizedClient, InvalidScope)
async def request_device_authorization(
    form: TokenForm, response: Response, services: Services
) -> DeviceAuthorizationResponse:
    """Start the authorization of a device.

    The device authorization endpoint of RFC 8628, for apps with `allows_device_flow` on devices without a keyboard or
    browser, such as tills. The device shows `user_code` and `verification_uri`, where its user logs in elsewhere, and
    polls `POST /auth/token` with `device_code` every `interval` seconds.
    """
    forbid_caching(response)
    async with services.database.transaction() as session:
        app = await authenticate_app(session, form)
        if not app.allows_device_flow:
            raise UnauthorizedClient()
        scopes = require_scopes(app, form.scopes or [])
        if scopes is None:
            raise InvalidScope()
        started = devices.start_authorization(session, app, scopes, services.secret_box)
    verification_uri = services.settings.public_url + PATH
    return DeviceAuthorizationResponse(
        device_code=started.device_code,
        user_code=started.user_code,
        verification_uri=verification_uri,
        verification_uri_complete=f"{verification_uri}?{urlencode({'user_code': started.user_code})}",
        expires_in=int(devices.LIFETIME.total_seconds()),
        interval=devices.INTERVAL_SECONDS,
    )


@dataclass(frozen=True, slots=True)
class _Visit:
    """`user_code`: as the visitor has typed it; empty at first. `prefix`: the path prefix of the proxy in front."""

    services: AuthServices
    visitor: Visitor
    user_code: str
    prefix: str
    user_agent: str | None

    @property
    def query(self) -> str:
        return f"?{urlencode({'user_code': self.user_code})}" if self.user_code else ""

    @property
    def form_action(self) -> str:
        return f"{self.prefix}{PATH}/confirm{self.query}"

    @property
    def login(self) -> PageLogin:
        page = LoginPage("To connect a device.", self.form_action, PATH + self.query)
        return PageLogin(self.services, self.visitor, page, self.user_agent)


@router.get("", dependencies=[PUBLIC], response_class=HTMLResponse, responses=HTML_PAGE)
async def get_device_page(
    request: Request, services: Services, user_code: str = "", prompt: str = "", user_agent: UserAgent = None
) -> Response:
    """Open the page for the code of a device.

    For the user of a device that has started an authorization: asks for the login, the `user_code`, and the decision.
    """
    visit = await _read(request, services, user_code, user_agent)
    user = visit.visitor.user
    if user is None or prompt == "login":
        return visit.login.show()
    if not visit.user_code:
        return _code_page(visit)
    try:
        found = await _find_started(visit, user)
    except TooManyAttempts as error:
        return _code_page(visit, error.detail, status=error.status)
    if found is None:
        return _code_page(visit, UNKNOWN_CODE, status=400)
    app, scopes = found
    async with services.database.reading() as session:
        rights = await load_rights(session, user.role, user.warehouse_ids)
    return consent_page(
        app,
        scopes,
        visit.visitor,
        rights,
        form_action=visit.form_action,
        user_code=visit.user_code.upper(),
        other_account_url=f"{visit.prefix}{PATH}?{urlencode({'user_code': visit.user_code, 'prompt': 'login'})}",
    )


@router.post(
    "/confirm", dependencies=[PUBLIC], response_class=HTMLResponse, responses=HTML_PAGE, openapi_extra=FORM_BODY
)
async def confirm_device(
    request: Request, services: Services, user_code: str = "", user_agent: UserAgent = None
) -> Response:
    """Send a form of the device page.

    For the pages of `GET /oauth/device` only: their login, and the user's decision.
    """
    visit = await _read(request, services, user_code, user_agent)
    try:
        form = await read_form(request, visit.visitor)
    except RejectedByPage as rejected:
        return error_page(str(rejected))
    action, user = form.get("action", ""), visit.visitor.user
    if action in ACTIONS:
        return await visit.login.handle(form)
    if user is None or action not in ("approve", "deny"):
        return redirect(PATH + visit.query)
    return await _decide(visit, user, is_approved=action == "approve")


async def _read(request: Request, services: AuthServices, user_code: str, user_agent: str | None) -> _Visit:
    async with services.database.reading() as session:
        visitor = await load_visitor(session, request, services.settings)
    prefix = request.headers.get("x-forwarded-prefix", "")
    return _Visit(services, visitor, user_code.strip()[:MAX_USER_CODE_LENGTH], prefix, user_agent)


async def _decide(visit: _Visit, user: User, *, is_approved: bool) -> Response:
    services = visit.services
    try:
        found = await _find_started(visit, user)
    except TooManyAttempts as error:
        return _code_page(visit, error.detail, status=error.status)
    if found is None:
        return _code_page(visit, UNKNOWN_CODE, status=400)
    async with services.database.transaction() as session:
        app = await find_app(session, found[0].id, for_grant=True)
        is_decided = app is not None and await devices.decide(
            session, visit.user_code, user.id, services.secret_box, is_approved=is_approved
        )
        if app is not None and is_decided and is_approved:
            await grant_consent(session, app, user, found[1])
    if app is None or not is_decided:
        return _code_page(visit, UNKNOWN_CODE, status=400)
    return render_page("device_done", is_approved=is_approved, app_name=app.name)


async def _find_started(visit: _Visit, user: User) -> tuple[App, list[str]] | None:
    """The app on the device, and what it asks for. Wrong codes are counted, so that a user cannot guess those of
    others. Raises TooManyAttempts."""
    services = visit.services
    login_digest = services.secret_box.keyed_digest(f"user code attempts\n{user.id}")
    attempt = Attempt(login_digest, current_address(), is_known_address=True)
    digest = devices.digest_user_code(services.secret_box, visit.user_code)
    async with services.database.reading() as session:
        await require_not_throttled(session, attempt)
        started = await find_undecided(session, digest, clock.now())
        app = await find_app(session, started.app_id) if started else None
    if started is not None and app is not None:
        return app, started.scopes
    failures = FailureRecorder(services.failed_logins, services.settings.login_backoff_seconds)
    async with services.database.transaction() as session:
        await failures.record(session, attempt, user, reason="wrong_user_code")
    return None


def _code_page(visit: _Visit, error: str = "", *, status: int = 200) -> Response:
    return render_page(
        "user_code",
        status=status,
        error=error,
        form_action=visit.prefix + PATH,
        username=visit.visitor.user.username if visit.visitor.user else "",
    )
