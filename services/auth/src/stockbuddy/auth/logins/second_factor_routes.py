"""HTTP of the second step of a login, and of logins with a passkey alone."""

from fastapi import APIRouter, Request, Response

from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.errors import (
    FactorNotFound,
    InvalidChallenge,
    InvalidPasskey,
    InvalidSecondFactor,
    SecondFactorUnavailable,
    TooManyAttempts,
)
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
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.strict_query import StrictQueryRoute

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=StrictQueryRoute)

LoginResponse = SecondFactorTokenResponse | SecondFactorBrowserResponse


@router.post("/login/second-factor", dependencies=[PUBLIC])
@raises(InvalidChallenge, InvalidSecondFactor, InvalidPasskey, FactorNotFound, SecondFactorUnavailable, TooManyAttempts)
async def complete_login(
    body: SecondFactorLogin,
    request: Request,
    response: Response,
    second_factors: SecondFactors,
    passkeys: Passkeys,
    services: Services,
    user_agent: UserAgent = None,
) -> LoginResponse:
    """Complete a login with a second factor.

    The second step of a login that has returned 401 `second_factor_required` or `second_factor_setup_required`: send
    its `challenge` with a code or a passkey. A browser that began with `POST /auth/session` or single sign-on
    receives its cookies, other clients tokens. A wrong code leaves the challenge valid; repeated failures are slowed
    down (429).
    """
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
@raises(InvalidChallenge)
async def create_factor_in_login(
    body: LoginFactorCreate, response: Response, second_factors: SecondFactors, services: Services
) -> TotpSetupResponse:
    """Set up an authenticator app during a login.

    For a login that has returned 401 `second_factor_setup_required`, because the role requires a second factor
    and the user has none. Show `uri` as a QR code; then the app's first code completes the login with
    `POST /auth/login/second-factor`, whose response has the recovery codes.
    """
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
    """Start a login with a passkey.

    With the passkey alone: without username and password. Give `options` to the browser
    (`PublicKeyCredential.parseRequestOptionsFromJSON`, then `navigator.credentials.get`), and send the result with
    `challenge` to `POST /auth/login/passkey` within five minutes.
    """
    forbid_caching(response)
    challenge, options = await passkeys.start(CeremonyPurpose.LOGIN, None)
    return PasskeyCeremonyResponse(challenge=challenge, options=options)


@router.post("/login/passkey", dependencies=[PUBLIC])
@raises(InvalidChallenge, InvalidPasskey)
async def login_with_passkey(
    body: PasskeyLogin,
    request: Request,
    response: Response,
    passkeys: Passkeys,
    services: Services,
    user_agent: UserAgent = None,
) -> LoginResponse:
    """Log in with a passkey.

    Completes what `POST /auth/login/passkey/options` began. The passkey has checked its user's PIN or biometrics, and
    so replaces both the password and the second factor. A browser receives cookies (`with_cookie`), other clients
    tokens. If the passkey turns out to be a copy, it is disabled and the user is notified by e-mail.
    """
    async with passkeys.log_in(body.challenge, body.passkey) as (session, user):
        kind = SessionKind("passkey", FactorKind.PASSKEY, user_agent)
        created = await NewSession.create(session, user, services, kind, with_cookie=body.with_cookie)
    return created.to_response(request, response)
