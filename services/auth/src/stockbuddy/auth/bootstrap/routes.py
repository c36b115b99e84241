"""HTTP of the registration of admins, and what a new system needs first."""

from fastapi import APIRouter, Request, Response

from stockbuddy.auth.bootstrap.commands import redeem_bootstrap_token
from stockbuddy.auth.bootstrap.schemas import SetupResponse
from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.errors import (
    EmailTaken,
    HashingOverloaded,
    InvalidBootstrapToken,
    StepUpRequired,
    TooManyPasswords,
    UsernameTaken,
)
from stockbuddy.auth.password_policy import hash_new_password
from stockbuddy.auth.roles.errors import RightsExceeded
from stockbuddy.auth.roles.grants import require_within
from stockbuddy.auth.roles.queries import load_rights
from stockbuddy.auth.step_up import require_recent_verification
from stockbuddy.auth.system_settings.queries import is_registration_open
from stockbuddy.auth.users.commands import available_username, register_user
from stockbuddy.auth.users.queries import has_admin
from stockbuddy.auth.users.schemas import RegisterAdmin, UserResponse, password_words, user_path
from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.http.authentication import PUBLIC, authenticate
from stockbuddy.chassis.http.errors import Unauthenticated, raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.sessions import ReadSession, Session

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=ConditionalRoute)


@router.get("/setup", dependencies=[PUBLIC])
async def get_setup(session: ReadSession, services: Services) -> SetupResponse:
    """Read what a new system needs first.

    Whether an admin exists, and who may register: what a page shows before a login.
    """
    needs_admin = not await has_admin(session)
    return SetupResponse(
        needs_admin=needs_admin,
        needs_setup_token=needs_admin and services.settings.env != "development",
        registration_open=await is_registration_open(session),
    )


@router.post("/admin/register", status_code=201, dependencies=[PUBLIC])
@raises(
    UsernameTaken,
    EmailTaken,
    InvalidBootstrapToken,
    RightsExceeded,
    StepUpRequired,
    Unauthenticated,
    HashingOverloaded,
    TooManyPasswords,
)
async def register_admin(
    body: RegisterAdmin, request: Request, response: Response, session: Session, services: Services
) -> UserResponse:
    """Register an admin.

    The first one requires the `setup_token` that the server logs at its first start (except in development); later
    ones the credentials of an admin, who must have used their second factor, if they have one, a short while ago
    (403 `step_up_required`).
    """
    is_token_required = services.settings.env != "development"
    if not await redeem_bootstrap_token(session, body.setup_token, is_required=is_token_required):
        caller = await authenticate(request)
        require_within(await load_rights(session, Role.ADMIN, None), caller)
        await require_recent_verification(session, caller, services.settings)
    user = await register_user(
        session,
        username=body.username or await available_username(session, body.email),
        email=body.email,
        password_hash=await hash_new_password(services.hasher, body.password, user_words=password_words(body)),
        full_name=body.full_name,
        confirm_email=services.settings.sends_emails,
        role=Role.ADMIN,
    )
    response.headers["Location"] = user_path(user.id)
    return UserResponse.model_validate(user)
