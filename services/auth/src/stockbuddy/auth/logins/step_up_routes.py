"""HTTP of step-up authentication."""

from datetime import timedelta

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.dependencies import AuthServices, Services
from stockbuddy.auth.errors import (
    HashingOverloaded,
    SecondFactorUnavailable,
    StepUpRequired,
    TooManyAttempts,
    TooManyPasswords,
    UnknownCaller,
    WrongCode,
    WrongPasskey,
    WrongPassword,
)
from stockbuddy.auth.factors.model import CeremonyPurpose, FactorKind
from stockbuddy.auth.logins.authenticator import Authenticator
from stockbuddy.auth.logins.passkeys import Passkeys
from stockbuddy.auth.logins.second_factor_schemas import PasskeyCeremonyResponse, StepUpResponse, VerifySession
from stockbuddy.auth.logins.second_factors import SecondFactors
from stockbuddy.auth.session_ids import parse_session_id
from stockbuddy.auth.sessions.commands import record_verification
from stockbuddy.auth.sessions.queries import lock_session
from stockbuddy.auth.users.queries import find_user
from stockbuddy.chassis.http.authentication import UserSession
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.strict_query import StrictQueryRoute
from stockbuddy.chassis.http.tokens import Principal

router = APIRouter(prefix="/api/v1/auth/step-up", tags=["auth"], route_class=StrictQueryRoute)


@router.post("/options")
async def request_step_up(caller: UserSession, passkeys: Passkeys) -> PasskeyCeremonyResponse:
    """Start a step-up with a passkey.

    Give `options` to the browser (`PublicKeyCredential.parseRequestOptionsFromJSON`, then
    `navigator.credentials.get`), and send the result with `challenge` to `POST /auth/step-up` within five minutes.
    """
    challenge, options = await passkeys.start(CeremonyPurpose.STEP_UP, caller.user_id)
    return PasskeyCeremonyResponse(challenge=challenge, options=options)


@router.post("")
@raises(
    UnknownCaller,
    StepUpRequired,
    WrongPassword,
    WrongCode,
    WrongPasskey,
    SecondFactorUnavailable,
    TooManyAttempts,
    HashingOverloaded,
    TooManyPasswords,
)
async def verify_session(
    body: VerifySession,
    caller: UserSession,
    authenticator: Authenticator,
    second_factors: SecondFactors,
    passkeys: Passkeys,
    services: Services,
) -> StepUpResponse:
    """Prove one's identity again.

    After an operation has returned 403 `step_up_required`: prove the identity, then repeat the request. Sensitive
    operations are allowed until `valid_until` (ten minutes, unless the operator changes it). A user with a second
    factor needs a code or a passkey, others their password. A wrong proof changes nothing; repeated failures are slowed
    down (429).
    """
    async with services.database.reading() as session:
        user = await find_user(session, caller.user_id)
    if user is None:
        raise UnknownCaller()
    if body.code is not None:
        async with second_factors.verify_code(user, body.code) as (session, factor):
            return await _record(session, caller, services, factor)
    if body.passkey is not None:
        async with passkeys.verify(user, body.challenge or "", body.passkey) as session:
            return await _record(session, caller, services, FactorKind.PASSKEY)
    if user.has_second_factor:
        raise StepUpRequired(methods=["code", "passkey"])
    await authenticator.verify_password(user, body.password or "")
    async with services.database.transaction() as session:
        return await _record(session, caller, services, None)


async def _record(
    session: AsyncSession, caller: Principal, services: AuthServices, factor: FactorKind | None
) -> StepUpResponse:
    """`factor` None: the password was verified."""
    session_id = parse_session_id(caller.session_id)
    verified = await lock_session(session, session_id) if session_id else None
    if verified is None:
        raise UnknownCaller()
    method = factor or "password"
    verified_at = record_verification(session, verified, method=method, is_second_factor=factor is not None)
    valid_until = verified_at + timedelta(seconds=services.settings.step_up_seconds)
    return StepUpResponse(method=method, valid_until=valid_until)
