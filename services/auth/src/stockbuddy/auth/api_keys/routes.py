"""HTTP of API keys."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from stockbuddy.auth.api_keys import commands, queries
from stockbuddy.auth.api_keys.model import ApiKey
from stockbuddy.auth.api_keys.schemas import ApiKeyView, CreateApiKey, CreatedApiKey
from stockbuddy.auth.fields import LARGEST_ID
from stockbuddy.auth.listing import Order, read_page
from stockbuddy.auth.interactive_users import Person
from stockbuddy.auth.encrypted_responses import SecretRoute
from stockbuddy.auth.settings import Settings
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.errors import Forbidden, NotFound
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.pagination import Page, PageParameters

router = APIRouter(prefix="/api/v1/auth/api-keys", tags=["API keys"], route_class=ConditionalRoute)
creating_router = APIRouter(prefix="/api/v1/auth/api-keys", tags=["API keys"], route_class=SecretRoute)

NEWEST_FIRST = Order("id_desc", [ApiKey.id], newest_first=True)


@creating_router.post("", status_code=201)
async def create_api_key(body: CreateApiKey, caller: Person, session: Session) -> CreatedApiKey:
    """A key for a machine. The secret is shown here and never again."""
    key, secret = await commands.create_api_key(session, caller, body)
    return CreatedApiKey(**ApiKeyView.model_validate(key).model_dump(), key=secret)


@router.get("")
async def list_api_keys(
    caller: Caller,
    session: ReadSession,
    paging: PageParameters,
    everybodys: Annotated[bool, Query(alias="all")] = False,
) -> Page[ApiKeyView]:
    """One's own keys, the newest first; with `all=true` everybody's, for admins."""
    if everybodys and not caller.is_admin:
        raise Forbidden("Only admins may see others' keys.")
    keys = queries.live_keys(None if everybodys else caller.user_id)
    return (await read_page(session, keys, paging, NEWEST_FIRST)).page(ApiKeyView.model_validate)


@router.delete("/{key_id}", status_code=204)
async def delete_api_key(
    key_id: Annotated[int, Path(ge=1, le=LARGEST_ID)], caller: Person, session: Session, settings: Settings
) -> None:
    """Take a key back; the gateway refuses it within two seconds. Admins may take back anybody's."""
    key = await queries.lock_key(session, key_id)
    if key is None or key.revoked_at is not None or not (caller.is_admin or key.owner_id == caller.user_id):
        raise NotFound("There is no such API key.")
    commands.revoke_api_key(session, key, settings, reason="deleted")
