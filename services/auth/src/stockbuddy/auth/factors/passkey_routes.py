"""HTTP of one's own passkeys."""

from fastapi import APIRouter

from stockbuddy.auth.crypto import digest
from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.encrypted_responses import EncryptedIdempotentRoute
from stockbuddy.auth.errors import FactorRequired, WrongPasskey
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
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.sessions import ReadSession, Session

router = APIRouter(prefix="/api/v1/auth/passkeys", tags=["auth"], route_class=ConditionalRoute)
secret_router = APIRouter(prefix="/api/v1/auth/passkeys", tags=["auth"], route_class=EncryptedIdempotentRoute)


@router.get("")
async def list_passkeys(caller: UserSession, session: ReadSession) -> PasskeyList:
    """One's own passkeys, with those that are disabled."""
    found = await queries.list_passkeys(session, caller.user_id)
    return PasskeyList(items=[PasskeyResponse.model_validate(passkey) for passkey in found])


@router.post("/options", dependencies=[REAUTHENTICATION])
async def request_passkey(caller: UserSession, session: Session, services: Services) -> PasskeyOptionsResponse:
    """Start the registration of a passkey."""
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
async def create_passkey(
    body: PasskeyCreate, caller: UserSession, session: Session, services: Services
) -> PasskeyCreatedResponse:
    """Register a passkey. It is a second factor from now on, and logs in without a password if it checks a PIN or
    biometrics. The first factor of a user comes with recovery codes. This session counts as verified by it."""
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
async def delete_passkey(passkey_id: PathId, caller: UserSession, session: Session) -> None:
    """Remove a passkey; with the last factor the recovery codes become invalid. The last factor of a role that requires
    one cannot be removed."""
    user = await lock_caller(session, caller)
    if await queries.count_factors(session, user.id) == 1 and await requires_second_factor(session, user.role):
        raise FactorRequired()
    await passkeys.remove_passkey(session, user, passkey_id)
