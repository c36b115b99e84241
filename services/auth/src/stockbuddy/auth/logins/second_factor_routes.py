"""HTTP of the second step of a login, and of step-up authentication."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.dependencies import AuthServices, Services
from stockbuddy.auth.errors import InvalidChallenge, StepUpRequired, UnknownCaller
from stockbuddy.auth.factors.commands import create_totp_factor
from stockbuddy.auth.factors.model import FactorKind
from stockbuddy.auth.factors.schemas import TotpSetupResponse
from stockbuddy.auth.fields import UserAgent
from stockbuddy.auth.logins.authenticator import Authenticator
from stockbuddy.auth.logins.second_factor_schemas import (
    LoginFactorCreate,
    SecondFactorBrowserResponse,
    SecondFactorLogin,
    SecondFactorTokenResponse,
    StepUpResponse,
    VerifySession,
)
from stockbuddy.auth.logins.second_factors import SecondFactors
from stockbuddy.auth.session_ids import parse_session_id
from stockbuddy.auth.sessions import commands as sessions
from stockbuddy.auth.sessions.browser_responses import to_browser_session
from stockbuddy.auth.sessions.queries import lock_session
from stockbuddy.auth.sessions.tokens import forbid_caching, to_token_pair
from stockbuddy.auth.system_settings.queries import get_company_name
from stockbuddy.auth.users.queries import find_user, lock_user
from stockbuddy.chassis.http.authentication import PUBLIC, UserSession
from stockbuddy.chassis.http.strict_query import StrictQueryRoute
from stockbuddy.chassis.http.tokens import Principal

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=StrictQueryRoute)


@router.post("/login/second-factor", dependencies=[PUBLIC])
async def complete_login(
    body: SecondFactorLogin,
    request: Request,
    response: Response,
    second_factors: SecondFactors,
    services: Services,
    user_agent: UserAgent = None,
) -> SecondFactorTokenResponse | SecondFactorBrowserResponse:
    """Complete a login that was answered with `second_factor_required` or `second_factor_setup_required`. A browser
    that began with `POST /auth/session` receives its cookies, other clients tokens."""
    settings = services.settings
    async with second_factors.complete(body.challenge, body.code) as (session, completed):
        user, factor = completed.user, completed.factor
        if completed.with_cookie:
            browser = await sessions.create_browser_session(
                session, user, settings, user_agent=user_agent, second_factor=factor
            )
        else:
            created = await sessions.create_session(
                session, user, settings, user_agent=user_agent, second_factor=factor
            )
    codes = completed.recovery_codes or None
    if completed.with_cookie:
        browser_session = to_browser_session(request, response, settings, user, browser)
        return SecondFactorBrowserResponse(**dict(browser_session), recovery_codes=codes)
    forbid_caching(response)
    return SecondFactorTokenResponse(**dict(to_token_pair(created, services)), recovery_codes=codes)


@router.post("/login/factors", status_code=201, dependencies=[PUBLIC])
async def create_factor_in_login(
    body: LoginFactorCreate, response: Response, second_factors: SecondFactors, services: Services
) -> TotpSetupResponse:
    """Set up the authenticator app that a login answered with `second_factor_setup_required` demands. Its first code
    completes the login."""
    challenged = await second_factors.find_challenged_user(body.challenge)
    forbid_caching(response)
    async with services.database.transaction() as session:
        user = await lock_user(session, challenged.id)
        if user is None or user.has_second_factor:
            raise InvalidChallenge()
        factor, secret = await create_totp_factor(session, user, services.secret_box)
        company = await get_company_name(session)
    return TotpSetupResponse.from_factor(factor, secret, account=user.username, issuer=company)


@router.post("/step-up")
async def verify_session(
    body: VerifySession,
    caller: UserSession,
    authenticator: Authenticator,
    second_factors: SecondFactors,
    services: Services,
) -> StepUpResponse:
    """Prove your identity again, after a call was answered with `step_up_required`; then repeat that call. A user with
    a second factor needs a code, others their password."""
    async with services.database.reading() as session:
        user = await find_user(session, caller.user_id)
    if user is None:
        raise UnknownCaller()
    if body.code is not None:
        async with second_factors.verify_code(user, body.code) as (session, factor):
            return await _record_verification(session, caller, services, factor)
    if user.has_second_factor:
        raise StepUpRequired(methods=["code"])
    await authenticator.verify_password(user, body.password or "")
    async with services.database.transaction() as session:
        return await _record_verification(session, caller, services, None)


async def _record_verification(
    session: AsyncSession, caller: Principal, services: AuthServices, factor: FactorKind | None
) -> StepUpResponse:
    """`factor` None: the password was verified."""
    session_id = parse_session_id(caller.session_id)
    verified = await lock_session(session, session_id) if session_id else None
    if verified is None:
        raise UnknownCaller()
    method = factor or "password"
    verified_at = sessions.record_verification(session, verified, method=method, is_second_factor=factor is not None)
    valid_until = verified_at + timedelta(seconds=services.settings.step_up_seconds)
    return StepUpResponse(method=method, valid_until=valid_until)
