"""HTTP of invitations, and the login of sales staff."""

from fastapi import APIRouter, Response
from sqlalchemy import select

from stockbuddy.auth.dependencies import AuthServices, Services
from stockbuddy.auth.encrypted_responses import EncryptedIdempotentRoute
from stockbuddy.auth.errors import (
    EmailTaken,
    HashingOverloaded,
    InvalidCredentials,
    InvalidInvitation,
    InvitationAlreadyUsed,
    InvitationNotFound,
    SalespeopleOnly,
    SecondFactorRequired,
    SecondFactorSetupRequired,
    TooManyAttempts,
    TooManyPasswords,
    UsernameTaken,
)
from stockbuddy.auth.fields import PathId, UserAgent
from stockbuddy.auth.invitations import commands, queries
from stockbuddy.auth.invitations.model import Invitation
from stockbuddy.auth.invitations.schemas import (
    InvitationCreate,
    InvitationResponse,
    InvitationTokenResponse,
    SalespersonLogin,
)
from stockbuddy.auth.logins.authenticator import Authenticator, PasswordAuthenticator
from stockbuddy.auth.password_policy import hash_new_password
from stockbuddy.auth.roles.errors import RightsExceeded, UnknownRole
from stockbuddy.auth.roles.grants import load_assignable
from stockbuddy.auth.sessions.commands import CreatedSession, create_session
from stockbuddy.auth.sessions.schemas import TokenPairResponse
from stockbuddy.auth.sessions.tokens import forbid_caching, to_token_pair
from stockbuddy.auth.step_up import STEP_UP
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import find_user_by_email
from stockbuddy.auth.users.schemas import user_path
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.http.authentication import PUBLIC, Caller, requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page, PageParameters, SortOrder, fetch_page
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.strict_query import StrictQueryRoute
from stockbuddy.chassis.runtime import clock

router = APIRouter(prefix="/api/v1/auth", tags=["invitations"], route_class=ConditionalRoute)
public_router = APIRouter(prefix="/api/v1/auth", tags=["invitations"], route_class=StrictQueryRoute)
creation_router = APIRouter(prefix="/api/v1/auth", tags=["invitations"], route_class=EncryptedIdempotentRoute)

NEWEST_FIRST = SortOrder("id_desc", [Invitation.id], descending=True)


@creation_router.post("/invitations", status_code=201, dependencies=[requires(Permission.INVITATION_MANAGE), STEP_UP])
@raises(UnknownRole, RightsExceeded)
async def create_invitation(
    body: InvitationCreate, caller: Caller, session: Session, services: Services
) -> InvitationTokenResponse:
    """Invite a user.

    The `token`, of 10 characters, is returned only here and registers one user with the given role and warehouses,
    once: see `POST /auth/salesperson`. An admin with a second factor must have used it a short while ago (403
    `step_up_required`).
    """
    await load_assignable(session, caller, body.role, body.warehouse_ids)
    invitation, token = await commands.create_invitation(
        session, caller.user_id, body, services.secret_box, default_days=services.settings.invitation_days
    )
    return InvitationTokenResponse(**InvitationResponse.model_validate(invitation).model_dump(), token=token)


@router.get("/invitations", dependencies=[requires(Permission.INVITATION_MANAGE)])
async def list_invitations(session: ReadSession, query: PageParameters) -> Page[InvitationResponse]:
    """List invitations.

    Newest first, used and expired ones included, without their tokens.
    """
    invitations = await fetch_page(session, select(Invitation), NEWEST_FIRST, query)
    return invitations.to_page(query, InvitationResponse.model_validate)


@router.get("/invitations/{invitation_id}", dependencies=[requires(Permission.INVITATION_MANAGE)])
@raises(InvitationNotFound)
async def get_invitation(invitation_id: PathId, session: ReadSession) -> InvitationResponse:
    """Read an invitation.

    Without its token.
    """
    invitation = await queries.find_invitation(session, invitation_id)
    if invitation is None:
        raise InvitationNotFound()
    return InvitationResponse.model_validate(invitation)


@router.delete("/invitations/{invitation_id}", status_code=204, dependencies=[requires(Permission.INVITATION_MANAGE)])
@raises(InvitationNotFound, InvitationAlreadyUsed)
async def delete_invitation(invitation_id: PathId, session: Session) -> None:
    """Revoke an invitation.

    A used invitation cannot be revoked (409).
    """
    await commands.revoke_invitation(session, invitation_id)


@public_router.post("/salesperson", dependencies=[PUBLIC], responses={201: {"model": TokenPairResponse}})
@raises(
    InvalidCredentials,
    InvalidInvitation,
    UsernameTaken,
    EmailTaken,
    SalespeopleOnly,
    SecondFactorRequired,
    SecondFactorSetupRequired,
    TooManyAttempts,
    HashingOverloaded,
    TooManyPasswords,
)
async def login_or_register_salesperson(
    body: SalespersonLogin,
    response: Response,
    authenticator: Authenticator,
    services: Services,
    user_agent: UserAgent = None,
) -> TokenPairResponse:
    """Log in as a salesperson, or register with an invitation.

    An existing salesperson is logged in (200). An unknown address with a valid, unused invitation token in
    `access_token` is registered and logged in (201); the invitation works exactly once, even if it is used
    concurrently. A second factor is demanded as by `POST /auth/login`.
    """
    digest = commands.token_digest(services.secret_box, body.access_token or "")
    async with services.database.reading() as session:
        is_known = await find_user_by_email(session, body.email) is not None
        invitation = await queries.find_invitation_by_token(session, digest)
    forbid_caching(response)
    is_valid = invitation is not None and invitation.is_valid(clock.now())
    if is_known or not is_valid:
        try:
            return to_token_pair(await _login(body, authenticator, services, user_agent), services)
        except InvalidCredentials as error:
            # The same for known and unknown addresses, so that the error does not reveal which are registered.
            raise InvalidInvitation() if body.access_token and not is_valid else error from error
    created = await _register(body, digest, services, user_agent)
    response.status_code = 201
    response.headers["Location"] = user_path(created.user.id)
    return to_token_pair(created, services)


async def _login(
    body: SalespersonLogin, authenticator: PasswordAuthenticator, services: AuthServices, user_agent: str | None
) -> CreatedSession:
    async with authenticator.authenticate(body.email, body.password, admit=_require_salesperson) as (session, user):
        return await create_session(session, user, services.settings, user_agent=user_agent)


def _require_salesperson(user: User) -> None:
    if user.role != Role.SALESPERSON:
        raise SalespeopleOnly()


async def _register(
    body: SalespersonLogin, digest: bytes, services: AuthServices, user_agent: str | None
) -> CreatedSession:
    words = [body.email, body.full_name]
    password_hash = await hash_new_password(services.hasher, body.password, user_words=words)
    async with services.database.transaction() as session:
        user = await commands.accept_invitation(
            session, body, digest, password_hash, confirm_email=services.settings.sends_emails
        )
        return await create_session(session, user, services.settings, user_agent=user_agent, method="invitation")
