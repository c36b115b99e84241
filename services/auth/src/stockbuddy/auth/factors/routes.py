"""HTTP of one's own second factors."""

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.encrypted_responses import EncryptedIdempotentRoute
from stockbuddy.auth.errors import (
    FactorNotFound,
    FactorRequired,
    InvalidSetupCode,
    SecondFactorUnavailable,
    UnknownCaller,
)
from stockbuddy.auth.factors import commands, queries
from stockbuddy.auth.factors.schemas import (
    ConfirmFactor,
    FactorList,
    FactorResponse,
    RecoveryCodeList,
    TotpSetupResponse,
)
from stockbuddy.auth.fields import PathId
from stockbuddy.auth.session_ids import parse_session_id
from stockbuddy.auth.sessions.commands import record_verification
from stockbuddy.auth.sessions.queries import lock_session
from stockbuddy.auth.step_up import REAUTHENTICATION, STEP_UP
from stockbuddy.auth.system_settings.queries import get_company_name, requires_second_factor
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import find_user, lock_user
from stockbuddy.chassis.http.authentication import UserSession
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.tokens import Principal

router = APIRouter(prefix="/api/v1/auth/factors", tags=["auth"], route_class=ConditionalRoute)
secret_router = APIRouter(prefix="/api/v1/auth/factors", tags=["auth"], route_class=EncryptedIdempotentRoute)


@router.get("")
@raises(UnknownCaller)
async def list_factors(caller: UserSession, session: ReadSession) -> FactorList:
    """List one's own second factors.

    The confirmed authenticator app, if there is one, and how many recovery codes are left; passkeys are in
    `GET /auth/passkeys`. With `is_required` the role of the user requires a second factor.
    """
    user = await find_user(session, caller.user_id)
    if user is None:
        raise UnknownCaller()
    app = await queries.find_totp(session, user.id, is_confirmed=True)
    return FactorList(
        items=[FactorResponse.model_validate(app)] if app else [],
        recovery_codes_remaining=await queries.count_recovery_codes(session, user.id),
        is_required=await requires_second_factor(session, user.role),
    )


@secret_router.post("", status_code=201, dependencies=[REAUTHENTICATION])
async def create_factor(caller: UserSession, session: Session, services: Services) -> TotpSetupResponse:
    """Set up an authenticator app.

    Returns the secret of a new app (TOTP, RFC 6238: six digits, 30 seconds), only here; show `uri` as a QR code.
    Logins are as before until its first code is entered with `POST /auth/factors/{id}/confirm`; then it replaces an
    earlier app. Another request replaces a setup that is unconfirmed. The password, or a second factor, must have been
    entered a short while ago (403 `step_up_required`).
    """
    user = await lock_caller(session, caller)
    factor, secret = await commands.create_totp_factor(session, user, services.secret_box)
    company = await get_company_name(session)
    return TotpSetupResponse.from_factor(factor, secret, account=user.username, issuer=company)


@secret_router.post("/{factor_id:int}/confirm", dependencies=[REAUTHENTICATION])
@raises(FactorNotFound, InvalidSetupCode, SecondFactorUnavailable)
async def confirm_factor(
    factor_id: PathId, body: ConfirmFactor, caller: UserSession, session: Session, services: Services
) -> RecoveryCodeList:
    """Confirm an authenticator app.

    With the code that it shows now; from then on logins require a code. The first factor of a user comes with ten
    recovery codes, which are returned only here: each replaces a code once. This session counts as verified by the
    factor, and the user is notified by e-mail. A wrong code (400 `invalid_code`) changes nothing: try again.
    """
    user = await lock_caller(session, caller)
    pending = await queries.find_totp(session, user.id, is_confirmed=False)
    if pending is None or pending.id != factor_id:
        raise FactorNotFound()
    codes = await commands.confirm_totp_factor(session, user, body.code, services.secret_box)
    await record_session_verification(session, caller, method="totp")
    return RecoveryCodeList(recovery_codes=codes)


@router.delete("/{factor_id:int}", status_code=204, dependencies=[STEP_UP])
@raises(FactorNotFound, FactorRequired)
async def delete_factor(factor_id: PathId, caller: UserSession, session: Session) -> None:
    """Remove an authenticator app.

    With the user's last factor the recovery codes become invalid, too, and logins need only the password. If the role
    requires a second factor, the last one cannot be removed, only replaced (409 `factor_required`). The user is
    notified by e-mail.
    """
    user = await lock_caller(session, caller)
    if await queries.count_factors(session, user.id) == 1 and await requires_second_factor(session, user.role):
        raise FactorRequired()
    await commands.remove_totp_factor(session, user, factor_id)


@secret_router.post("/recovery-codes", status_code=201, dependencies=[STEP_UP])
@raises(FactorNotFound)
async def replace_recovery_codes(caller: UserSession, session: Session, services: Services) -> RecoveryCodeList:
    """Replace one's own recovery codes.

    Returns ten new ones, only here; the old ones become invalid. 404 without a second factor.
    """
    user = await lock_caller(session, caller)
    if not user.has_second_factor:
        raise FactorNotFound()
    return RecoveryCodeList(recovery_codes=await commands.replace_recovery_codes(session, user, services.secret_box))


async def lock_caller(session: AsyncSession, caller: Principal) -> User:
    """Raises UnknownCaller."""
    user = await lock_user(session, caller.user_id)
    if user is None:
        raise UnknownCaller()
    return user


async def record_session_verification(session: AsyncSession, caller: Principal, *, method: str) -> None:
    """The caller has proved their identity with a new factor."""
    session_id = parse_session_id(caller.session_id)
    current = await lock_session(session, session_id) if session_id else None
    if current is not None:
        record_verification(session, current, method=method, is_second_factor=True)
