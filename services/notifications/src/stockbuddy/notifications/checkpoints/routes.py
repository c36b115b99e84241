"""Routes of checkpoints and of the keys that verify them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import PUBLIC, requires
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page, PageQuery
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.notifications.checkpoints import queries
from stockbuddy.notifications.checkpoints.schemas import CheckpointKeysResponse, CheckpointResponse

router = APIRouter(prefix="/api/v1/audit-logs", tags=["audit"], route_class=ConditionalRoute)


@router.get("/checkpoints", dependencies=[requires(Permission.AUDIT_READ)])
async def list_audit_checkpoints(session: ReadSession, page: Annotated[PageQuery, Query()]) -> Page[CheckpointResponse]:
    """List the signed checkpoints of the audit log.

    Newest first. Each is the head of the chain of hashes at a moment, signed. Keep them outside the system, with the
    keys: `stockbuddy audit verify` compares an export with them and reveals a log that was rewritten as a whole.
    """
    found = await queries.list_checkpoints(session, page)
    return found.to_page(page, CheckpointResponse.model_validate)


@router.get("/checkpoint-keys", response_model=CheckpointKeysResponse, dependencies=[PUBLIC])
async def get_audit_checkpoint_keys(session: ReadSession) -> dict[str, Any]:
    """Read the public keys of the checkpoints.

    The JWK set (RFC 7517) with which anyone verifies a checkpoint. A key stays published after its successor signs.
    """
    return {"keys": [key.public_jwk for key in await queries.list_keys(session)]}
