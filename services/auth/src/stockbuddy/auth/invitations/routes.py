"""HTTP of invitations, and the door of the sales staff."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.routing import APIRoute

from stockbuddy.auth.errors import SalespeopleOnly
from stockbuddy.auth.fields import LARGEST_ID
from stockbuddy.auth.hashing import Hasher
from stockbuddy.auth.invitations import commands, queries
from stockbuddy.auth.invitations.model import Invitation
from stockbuddy.auth.invitations.schemas import (
    CreatedInvitation,
    CreateInvitation,
    EnterAsSalesperson,
    InvitationView,
)
from stockbuddy.auth.listing import Order, read_page
from stockbuddy.auth.logins.authenticator import Door
from stockbuddy.auth.crypto import Sealing
from stockbuddy.auth.encrypted_responses import SecretRoute
from stockbuddy.auth.sessions.commands import open_session
from stockbuddy.auth.sessions.schemas import TokenPair
from stockbuddy.auth.sessions.tokens import forbid_caching, token_pair
from stockbuddy.auth.settings import Settings
from stockbuddy.auth.signing.keys import Keys
from stockbuddy.auth.password_policy import hash_strong_password
from stockbuddy.auth.users.queries import user_by_email
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.errors import Conflict, NotFound
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.authentication import PUBLIC, Admin
from stockbuddy.chassis.http.tokens import Role
from stockbuddy.chassis.http.pagination import Page, PageParameters

router = APIRouter(prefix="/api/v1/auth", tags=["invitations"], route_class=ConditionalRoute)
public_router = APIRouter(prefix="/api/v1/auth", tags=["invitations"], route_class=APIRoute)
creating_router = APIRouter(prefix="/api/v1/auth", tags=["invitations"], route_class=SecretRoute)

NEWEST_FIRST = Order("id_desc", [Invitation.id], newest_first=True)


@creating_router.post("/access-tokens", status_code=201)
async def create_access_token(
    body: CreateInvitation, caller: Admin, session: Session, seal: Sealing, settings: Settings
) -> CreatedInvitation:
    """An invitation. Its token is shown here and never again."""
    invitation, token = await commands.create_invitation(session, caller.user_id, body, seal, settings)
    return CreatedInvitation(**InvitationView.model_validate(invitation).model_dump(), token=token)


@router.get("/access-tokens")
async def list_access_tokens(_: Admin, session: ReadSession, paging: PageParameters) -> Page[InvitationView]:
    """All invitations, the newest first."""
    found = await read_page(session, queries.all_invitations(), paging, NEWEST_FIRST)
    return found.page(InvitationView.model_validate)


@router.delete("/access-tokens/{invitation_id}", status_code=204)
async def delete_access_token(
    invitation_id: Annotated[int, Path(ge=1, le=LARGEST_ID)], _: Admin, session: Session
) -> None:
    """Take an invitation back that nobody has used."""
    invitation = await queries.lock_invitation(session, invitation_id)
    if invitation is None:
        raise NotFound("There is no such access token.")
    if invitation.is_used:
        raise Conflict("This access token has been used already.")
    await commands.revoke_invitation(session, invitation)


@public_router.post("/salesperson", dependencies=[PUBLIC], responses={201: {"model": TokenPair}})
async def enter_as_salesperson(
    body: EnterAsSalesperson,
    request: Request,
    response: Response,
    door: Door,
    hasher: Hasher,
    seal: Sealing,
    keys: Keys,
    settings: Settings,
) -> TokenPair:
    """Logs an existing salesperson in (200), or makes a new one of whoever holds an unused access token (201)."""
    database: Database = request.app.state.database
    user_agent = request.headers.get("user-agent")
    digest = commands.token_digest(seal, body.access_token or "")
    async with database.reading() as session:
        is_known = await user_by_email(session, body.email) is not None
        invitation = await queries.invitation_by_token(session, digest)
    forbid_caching(response)
    if is_known or invitation is None or not invitation.works(datetime.now(UTC)):
        async with door.admitting(body.email, body.password) as (session, user):
            if user.role is not Role.SALESPERSON:
                raise SalespeopleOnly()
            opened = await open_session(session, user, settings, user_agent=user_agent)
        return token_pair(opened, keys, settings)
    password_hash = await hash_strong_password(hasher, body.password, personal=[body.email, body.full_name])
    async with database.transaction() as session:
        user = await commands.accept_invitation(session, body, digest, password_hash)
        opened = await open_session(session, user, settings, user_agent=user_agent, method="invitation")
    response.status_code = 201
    return token_pair(opened, keys, settings)
