"""HTTP of the authorization endpoint: pages for the user, and the redirect with the code (RFC 6749 §4.1)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.apps.grant_commands import grant_consent
from stockbuddy.auth.apps.queries import find_app, find_consent
from stockbuddy.auth.apps.redirect_uris import form_action_source, identifies_app
from stockbuddy.auth.dependencies import AuthServices, Services
from stockbuddy.auth.fields import UserAgent
from stockbuddy.auth.oauth.authorization_requests import (
    AuthorizationRequest,
    RejectedByPage,
    RejectedByRedirect,
    read_authorization_request,
)
from stockbuddy.auth.oauth.codes import create_code
from stockbuddy.auth.oauth.consent_page import consent_page
from stockbuddy.auth.oauth.page_forms import FORM_BODY, HTML_PAGE, read_form
from stockbuddy.auth.oauth.page_login import ACTIONS, LoginPage, PageLogin
from stockbuddy.auth.oauth.pages import error_page, redirect
from stockbuddy.auth.oauth.visitors import Visitor, load_visitor
from stockbuddy.auth.roles.queries import load_rights
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.http.authentication import PUBLIC

router = APIRouter(prefix="/api/v1/oauth/authorize", tags=["apps"])
"""Without StrictQueryRoute: unknown parameters are ignored (RFC 6749 §3.1)."""

_RESPONSES: dict[int | str, dict[str, Any]] = {
    **HTML_PAGE,
    303: {"description": "Sends the browser to the app's redirect URI, with a code or an error."},
}


@dataclass(frozen=True, slots=True)
class _Visit:
    """A valid request of a visitor. `has_consent`: the user need not be asked."""

    asked: AuthorizationRequest
    visitor: Visitor
    has_consent: bool

    @property
    def needs_login(self) -> bool:
        return self.visitor.user is None or "login" in self.asked.prompts


@router.get("", dependencies=[PUBLIC], response_class=HTMLResponse, responses=_RESPONSES)
async def request_authorization(request: Request, services: Services, user_agent: UserAgent = None) -> Response:
    """Ask a user to authorize an app.

    The authorization endpoint of RFC 6749: the app sends the user's browser here with `response_type=code`,
    `client_id`, `redirect_uri`, `scope`, `state`, `code_challenge` and `code_challenge_method=S256`. After the login, a
    page names the app and what it asks for; the browser then returns to `redirect_uri` with `code`, `state` and `iss`,
    or with `error`. `prompt` may be `none`, `login` or `consent`. An unknown app or redirect URI is shown to the user
    instead.
    """
    return await _respond(request, services, lambda visit: _show(request, services, visit, user_agent))


@router.post(
    "",
    dependencies=[PUBLIC],
    response_class=HTMLResponse,
    responses=_RESPONSES,
    openapi_extra=FORM_BODY,
)
async def confirm_authorization(request: Request, services: Services, user_agent: UserAgent = None) -> Response:
    """Send a form of the authorization page.

    For the pages of `GET /oauth/authorize` only: their login, and the user's decision.
    """
    return await _respond(request, services, lambda visit: _handle_form(request, services, visit, user_agent))


async def _respond(
    request: Request, services: AuthServices, handle: Callable[[_Visit], Awaitable[Response]]
) -> Response:
    try:
        async with services.database.reading() as session:
            visit = await _read(session, request, services)
        return await handle(visit)
    except RejectedByPage as rejected:
        return error_page(str(rejected))
    except RejectedByRedirect as rejected:
        return redirect(rejected.location)


async def _read(session: AsyncSession, request: Request, services: AuthServices) -> _Visit:
    query, settings = request.scope["query_string"], services.settings
    asked = await read_authorization_request(session, query, settings.public_url)
    visitor = await load_visitor(session, request, settings)
    consent = await find_consent(session, asked.target.app.id, visitor.user.id) if visitor.user else None
    is_remembered = consent is not None and set(asked.scopes) <= set(consent.scopes)
    has_consent = is_remembered and "consent" not in asked.prompts and identifies_app(asked.target.redirect_uri)
    return _Visit(asked, visitor, has_consent)


async def _show(request: Request, services: AuthServices, visit: _Visit, user_agent: str | None) -> Response:
    asked, user = visit.asked, visit.visitor.user
    if visit.needs_login or user is None:
        if "none" in asked.prompts:
            raise RejectedByRedirect(asked.target, "login_required", "The user is not logged in.")
        return _login(request, services, visit, user_agent).show()
    if visit.has_consent:
        return await _approve(services, asked, user)
    if "none" in asked.prompts:
        raise RejectedByRedirect(asked.target, "consent_required", "The user has not consented.")
    return await _ask(request, services, visit, user)


async def _handle_form(request: Request, services: AuthServices, visit: _Visit, user_agent: str | None) -> Response:
    form = await read_form(request, visit.visitor)
    asked, user = visit.asked, visit.visitor.user
    action = form.get("action", "")
    if action in ACTIONS:
        return await _login(request, services, visit, user_agent).handle(form)
    if visit.needs_login or user is None:
        return redirect(_own_url(request))
    if action == "approve":
        return await _approve(services, asked, user)
    if action == "deny":
        raise RejectedByRedirect(asked.target, "access_denied", "The user has refused.")
    raise RejectedByPage("The form is malformed.")


def _login(request: Request, services: AuthServices, visit: _Visit, user_agent: str | None) -> PageLogin:
    target = visit.asked.target
    page = LoginPage(
        purpose=f"To continue with {target.app.name}.",
        form_action=_form_action(request),
        return_to=_own_url(request, without_prompt="login"),
        form_target=form_action_source(target.redirect_uri),
    )
    return PageLogin(services, visit.visitor, page, user_agent)


async def _ask(request: Request, services: AuthServices, visit: _Visit, user: User) -> Response:
    redirect_uri = visit.asked.target.redirect_uri
    async with services.database.reading() as session:
        rights = await load_rights(session, user.role, user.warehouse_ids)
    return consent_page(
        visit.asked.target.app,
        visit.asked.scopes,
        visit.visitor,
        rights,
        form_action=_form_action(request),
        form_target=form_action_source(redirect_uri),
        destination=urlsplit(redirect_uri).hostname if identifies_app(redirect_uri) else None,
        other_account_url=_form_action(request, with_prompt="login"),
    )


async def _approve(services: AuthServices, asked: AuthorizationRequest, user: User) -> Response:
    """Remember the consent, and send the browser to the app with a code."""
    target = asked.target
    async with services.database.transaction() as session:
        app = await find_app(session, target.app.id, for_grant=True)
        if app is None:
            raise RejectedByPage("No app is registered under this client id.")
        await grant_consent(session, app, user, asked.scopes)
        code = create_code(
            session,
            app,
            user.id,
            redirect_uri=target.redirect_uri,
            code_challenge=asked.code_challenge,
            scopes=asked.scopes,
        )
    return redirect(target.location(code=code))


def _own_url(request: Request, *, without_prompt: str = "", with_prompt: str = "") -> str:
    """Path and query of this request, with one prompt less or another one."""
    parameters = dict(parse_qsl(request.scope["query_string"].decode("ascii", "replace")))
    prompts = [prompt for prompt in parameters.pop("prompt", "").split() if prompt != without_prompt]
    if with_prompt:
        prompts = [with_prompt]
    return f"{request.url.path}?{urlencode({**parameters, **({'prompt': ' '.join(prompts)} if prompts else {})})}"


def _form_action(request: Request, *, with_prompt: str = "") -> str:
    """The same for a link in a page, which has the path prefix of the proxy in front."""
    return request.headers.get("x-forwarded-prefix", "") + _own_url(request, with_prompt=with_prompt)
