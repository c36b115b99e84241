"""HTTP of API keys."""

from typing import Annotated

from fastapi import APIRouter, Query

from stockbuddy.auth.api_keys import commands, queries
from stockbuddy.auth.api_keys.model import ApiKey
from stockbuddy.auth.api_keys.schemas import ApiKeyCreate, ApiKeyFilter, ApiKeyResponse, ApiKeySecretResponse
from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.encrypted_responses import EncryptedIdempotentRoute
from stockbuddy.auth.errors import ApiKeyNotFound, ForeignApiKeys
from stockbuddy.auth.fields import PathId
from stockbuddy.auth.roles.errors import RightsExceeded, ScopesExceedRole, UnknownRole
from stockbuddy.auth.step_up import STEP_UP
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import UserSession
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page, SortOrder, fetch_page
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.tokens import Principal

router = APIRouter(prefix="/api/v1/auth/api-keys", tags=["API keys"], route_class=ConditionalRoute)
creation_router = APIRouter(prefix="/api/v1/auth/api-keys", tags=["API keys"], route_class=EncryptedIdempotentRoute)

NEWEST_FIRST = SortOrder("id_desc", [ApiKey.id], descending=True)


@creation_router.post("", status_code=201, dependencies=[STEP_UP])
@raises(UnknownRole, RightsExceeded, ScopesExceedRole)
async def create_api_key(body: ApiKeyCreate, caller: UserSession, session: Session) -> ApiKeySecretResponse:
    """Create an API key.

    For a machine, such as a till or an integration. The secret `key` is returned only here. The key's permissions
    and warehouses are at most those of its owner, also when the owner's are reduced later. A user with a second factor
    must have used it a short while ago (403 `step_up_required`).
    """
    key, secret = await commands.create_api_key(session, caller, body)
    return ApiKeySecretResponse(**ApiKeyResponse.model_validate(key).model_dump(), key=secret)


@router.get("")
@raises(ForeignApiKeys)
async def list_api_keys(
    caller: UserSession, session: ReadSession, filters: Annotated[ApiKeyFilter, Query()]
) -> Page[ApiKeyResponse]:
    """List API keys.

    One's own, newest first, without their secrets; with `all=true`, which requires `key.manage`, those of all users.
    """
    if filters.all_owners and not caller.may(Permission.KEY_MANAGE):
        raise ForeignApiKeys()
    statement = queries.select_keys(None if filters.all_owners else caller.user_id)
    keys = await fetch_page(session, statement, NEWEST_FIRST, filters)
    return keys.to_page(filters, ApiKeyResponse.model_validate)


@router.get("/{key_id}")
@raises(ApiKeyNotFound)
async def get_api_key(key_id: PathId, caller: UserSession, session: ReadSession) -> ApiKeyResponse:
    """Read an API key.

    Without its secret. Other users' keys require the permission `key.manage`.
    """
    return ApiKeyResponse.model_validate(_accessible(await queries.find_key(session, key_id), caller))


@router.delete("/{key_id}", status_code=204)
@raises(ApiKeyNotFound)
async def delete_api_key(key_id: PathId, caller: UserSession, session: Session, services: Services) -> None:
    """Revoke an API key.

    Requests with it are rejected within two seconds. Other users' keys require the permission `key.manage`.
    """
    key = _accessible(await queries.lock_key(session, key_id), caller)
    commands.revoke_api_key(session, key, services.settings, reason="deleted")


def _accessible(key: ApiKey | None, caller: Principal) -> ApiKey:
    """Raises ApiKeyNotFound, also for a revoked key and for another user's, unless the caller may manage all keys."""
    if (
        key is None
        or key.revoked_at is not None
        or (key.owner_id != caller.user_id and not caller.may(Permission.KEY_MANAGE))
    ):
        raise ApiKeyNotFound()
    return key
