"""HTTP of making admins."""

from fastapi import APIRouter, Request

from stockbuddy.auth.first_admin.commands import claim_setup
from stockbuddy.auth.hashing import Hasher
from stockbuddy.auth.settings import Settings
from stockbuddy.auth.users.commands import register_user
from stockbuddy.auth.users.queries import is_any_admin
from stockbuddy.auth.users.schemas import RegisterAdmin, UserView
from stockbuddy.chassis.database import Database
from stockbuddy.chassis.identity import PUBLIC, Role, authenticate, require_admin

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])


@router.post("/admin/register", status_code=201, dependencies=[PUBLIC])
async def register_admin(body: RegisterAdmin, request: Request, hasher: Hasher, settings: Settings) -> UserView:
    """A new admin. The first one needs the setup token (not in development), later ones an admin who makes them."""
    database: Database = request.app.state.database
    async with database.reading() as session:
        needs_admin = await is_any_admin(session)
    if needs_admin:
        await require_admin(await authenticate(request))
    password_hash = await hasher.hash(body.password)
    async with database.transaction() as session:
        is_first = await claim_setup(session, body.setup_token, is_token_needed=settings.env != "development")
        if not is_first and not needs_admin:
            await require_admin(await authenticate(request))  # Somebody else was first meanwhile.
        user = await register_user(
            session,
            username=body.username,
            email=body.email,
            password_hash=password_hash,
            full_name=body.full_name,
            role=Role.ADMIN,
        )
    return UserView.model_validate(user)
