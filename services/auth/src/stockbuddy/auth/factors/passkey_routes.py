"""HTTP of one's own passkeys."""

from fastapi import APIRouter

from stockbuddy.auth.crypto import digest
from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.encrypted_responses import EncryptedIdempotentRoute
from stockbuddy.auth.errors import FactorRequired, PasskeyExists, PasskeyNotFound, TooManyPasskeys, WrongPasskey
from stockbuddy.auth.factors import passkeys, queries
from stockbuddy.auth.factors.model import CeremonyPurpose
from stockbuddy.auth.factors.passkey_schemas import (
    PasskeyCreate,
    PasskeyCreatedResponse,
    PasskeyList,
    PasskeyOptionsResponse,
    PasskeyResponse,
)
from stockbuddy.auth.factors.relying_party import RelyingParty
from stockbuddy.auth.factors.routes import lock_caller, record_session_verification
from stockbuddy.auth.fields import PathId
from stockbuddy.auth.step_up import REAUTHENTICATION, STEP_UP
from stockbuddy.auth.system_settings.queries import get_company_name, requires_second_factor
from stockbuddy.chassis.http.authentication import UserSession
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.sessions import ReadSession, Session

router = APIRouter(prefix="/api/v1/auth/passkeys", tags=["auth"], route_class=ConditionalRoute)
secret_router = APIRouter(prefix="/api/v1/auth/passkeys", tags=["auth"], route_class=EncryptedIdempotentRoute)


@router.get("")
async def list_passkeys(caller: UserSession, session: ReadSession) -> PasskeyList:
    """List one's own passkeys.

    Security keys included, oldest first. A passkey of which a copy was used is disabled and stays in the list until
    it is removed.
    """
    found = await queries.list_passkeys(session, caller.user_id)
    return PasskeyList(items=[PasskeyResponse.model_validate(passkey) for passkey in found])


@router.post("/options", dependencies=[REAUTHENTICATION])
async def request_passkey(caller: UserSession, session: Session, services: Services) -> PasskeyOptionsResponse:
    """Start the registration of a passkey.

    Give `options` to the browser (`PublicKeyCredential.parseCreationOptionsFromJSON`, then
    `navigator.credentials.create`), and send the result with `challenge` to `POST /auth/passkeys` within five minutes.
    The password, or a second factor, must have been entered a short while ago (403 `step_up_required`).
    """
    user = await lock_caller(session, caller)
    token, challenge = passkeys.start_ceremony(session, CeremonyPurpose.REGISTRATION, user.id)
    options = RelyingParty(services.settings.public_url).creation_options(
        user,
        challenge,
        company=await get_company_name(session),
        existing=await queries.list_passkeys(session, user.id),
    )
    return PasskeyOptionsResponse(challenge=token, options=options)


@secret_router.post("", status_code=201, dependencies=[REAUTHENTICATION])
@raises(WrongPasskey, PasskeyExists, TooManyPasskeys)
async def create_passkey(
    body: PasskeyCreate, caller: UserSession, session: Session, services: Services
) -> PasskeyCreatedResponse:
    """Register a passkey.

    Completes what `POST /auth/passkeys/options` began. From then on the passkey is a second factor, which logins
    require, and logs in without a password if it checks a PIN or biometrics. The first factor of a user comes with
    ten recovery codes, which are returned only here. This session counts as verified by the passkey, and the user is
    notified by e-mail. A user has at most 20.
    """
    user = await lock_caller(session, caller)
    if not await passkeys.finish_ceremony(session, body.challenge, CeremonyPurpose.REGISTRATION, user.id):
        raise WrongPasskey()
    passkey, codes = await passkeys.register_passkey(
        session,
        user,
        body.passkey,
        body.name,
        challenge=digest(body.challenge),
        relying_party=RelyingParty(services.settings.public_url),
        secret_box=services.secret_box,
    )
    await record_session_verification(session, caller, method="passkey")
    return PasskeyCreatedResponse(**PasskeyResponse.model_validate(passkey).model_dump(), recovery_codes=codes)


@router.delete("/{passkey_id:int}", status_code=204, dependencies=[STEP_UP])
@raises(PasskeyNotFound, FactorRequired)
async def delete_passkey(passkey_id: PathId, caller: UserSession, session: Session) -> None:
    """Remove a passkey.

    With the user's last factor the recovery codes become invalid, too, and logins need only the password. If the role
    requires a second factor, the last one cannot be removed (409 `factor_required`). The user is notified by e-mail.
    """
    user = await lock_caller(session, caller)
    if await queries.count_factors(session, user.id) == 1 and await requires_second_factor(session, user.role):
        raise FactorRequired()
    await passkeys.remove_passkey(session, user, passkey_id)
