"""HTTP of the second step of a login, and of logins with a passkey alone."""

from fastapi import APIRouter, Request, Response

from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.errors import InvalidChallenge
from stockbuddy.auth.factors.commands import create_totp_factor
from stockbuddy.auth.factors.model import CeremonyPurpose, FactorKind
from stockbuddy.auth.factors.schemas import TotpSetupResponse
from stockbuddy.auth.fields import UserAgent
from stockbuddy.auth.logins.new_sessions import NewSession, SessionKind
from stockbuddy.auth.logins.passkeys import Passkeys
from stockbuddy.auth.logins.second_factor_schemas import (
    LoginFactorCreate,
    PasskeyCeremonyResponse,
    PasskeyLogin,
    SecondFactorBrowserResponse,
    SecondFactorLogin,
    SecondFactorTokenResponse,
)
from stockbuddy.auth.logins.second_factors import SecondFactors
from stockbuddy.auth.sessions.tokens import forbid_caching
from stockbuddy.auth.system_settings.queries import get_company_name
from stockbuddy.auth.users.queries import lock_user
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.http.strict_query import StrictQueryRoute

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=StrictQueryRoute)

LoginResponse = SecondFactorTokenResponse | SecondFactorBrowserResponse


@router.post("/login/second-factor", dependencies=[PUBLIC])
async def complete_login(
    body: SecondFactorLogin,
    request: Request,
    response: Response,
    second_factors: SecondFactors,
    passkeys: Passkeys,
    services: Services,
    user_agent: UserAgent = None,
) -> LoginResponse:
    """Complete a login that was answered with `second_factor_required` or `second_factor_setup_required`. A browser
    that began with `POST /auth/session` receives its cookies, other clients tokens."""
    if body.passkey is not None:
        challenged = await second_factors.find_challenged_user(body.challenge)
        async with passkeys.complete(challenged, body.challenge, body.passkey) as (session, user, with_cookie):
            kind = SessionKind("password", FactorKind.PASSKEY, user_agent)
            created = await NewSession.create(session, user, services, kind, with_cookie=with_cookie)
        return created.to_response(request, response)
    async with second_factors.complete(body.challenge, body.code or "") as (session, completed):
        kind = SessionKind("password", completed.factor, user_agent)
        created = await NewSession.create(session, completed.user, services, kind, with_cookie=completed.with_cookie)
    return created.to_response(request, response, recovery_codes=completed.recovery_codes or None)


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


@router.post("/login/passkey/options", dependencies=[PUBLIC])
async def request_passkey_login(passkeys: Passkeys, response: Response) -> PasskeyCeremonyResponse:
    """Start a login with a passkey alone, without user name and password."""
    forbid_caching(response)
    challenge, options = await passkeys.start(CeremonyPurpose.LOGIN, None)
    return PasskeyCeremonyResponse(challenge=challenge, options=options)


@router.post("/login/passkey", dependencies=[PUBLIC])
async def login_with_passkey(
    body: PasskeyLogin,
    request: Request,
    response: Response,
    passkeys: Passkeys,
    services: Services,
    user_agent: UserAgent = None,
) -> LoginResponse:
    """Log in with a passkey that has checked its user's PIN or biometrics: it replaces password and second factor."""
    async with passkeys.log_in(body.challenge, body.passkey) as (session, user):
        kind = SessionKind("passkey", FactorKind.PASSKEY, user_agent)
        created = await NewSession.create(session, user, services, kind, with_cookie=body.with_cookie)
    return created.to_response(request, response)
