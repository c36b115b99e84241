"""HTTP of making admins."""

from fastapi import APIRouter, Request

from stockbuddy.auth.bootstrap.commands import claim_setup
from stockbuddy.auth.hashing import Hasher
from stockbuddy.auth.settings import Settings
from stockbuddy.auth.password_policy import hash_strong_password
from stockbuddy.auth.users.commands import register_user
from stockbuddy.auth.users.schemas import RegisterAdmin, UserView
from stockbuddy.chassis.http.sessions import Session
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.authentication import PUBLIC, authenticate, require_admin
from stockbuddy.chassis.http.tokens import Role

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=ConditionalRoute)


@router.post("/admin/register", status_code=201, dependencies=[PUBLIC])
async def register_admin(
    body: RegisterAdmin, request: Request, session: Session, hasher: Hasher, settings: Settings
) -> UserView:
    """A new admin. The first one needs the setup token (not in development), later ones an admin who makes them."""
    is_first = await claim_setup(session, body.setup_token, is_token_needed=settings.env != "development")
    if not is_first:
        await require_admin(await authenticate(request))
    personal = [body.username, body.email, body.full_name]
    user = await register_user(
        session,
        username=body.username,
        email=body.email,
        password_hash=await hash_strong_password(hasher, body.password, personal=personal),
        full_name=body.full_name,
        role=Role.ADMIN,
    )
    return UserView.model_validate(user)
