"""Routes of the audit trail and its verification, for admins."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import Caller, require, requires
from stockbuddy.chassis.http.errors import Unprocessable, raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.notifications.audit import queries
from stockbuddy.notifications.audit.changes import changes_between
from stockbuddy.notifications.audit.export import MEDIA_TYPES, export_entries
from stockbuddy.notifications.audit.queries import AuditRow
from stockbuddy.notifications.audit.schemas import (
    AuditEntryResponse,
    AuditFilter,
    AuditVerificationResponse,
    ChainQuery,
    ExportQuery,
)
from stockbuddy.notifications.audit.verification import KnownEntry, verify_chain
from stockbuddy.notifications.consistency import CONSISTENT
from stockbuddy.notifications.dependencies import Services
from stockbuddy.notifications.errors import CursorArchived
from stockbuddy.notifications.event_log.field_permissions import field_permissions_among, visible_data
from stockbuddy.notifications.event_log.queries import read_extent
from stockbuddy.notifications.event_log.visibility import visible_types

router = APIRouter(prefix="/api/v1/audit-logs", tags=["audit"], route_class=ConditionalRoute)


@router.get("", dependencies=[requires(Permission.AUDIT_READ), CONSISTENT])
async def list_audit_logs(
    services: Services, caller: Caller, filters: Annotated[AuditFilter, Query()]
) -> Page[AuditEntryResponse]:
    """List the audit log.

    Who did what, when, from which address, with what changes; newest first. Send the `X-Consistency` of a write to
    read the log with that write in it.
    """
    async with services.database.transaction() as session:
        found = await queries.list_entries(session, filters)
    permissions = field_permissions_among(caller.permissions)
    return found.to_page(filters, lambda row: _to_response(row, permissions))


@router.get("/verify", dependencies=[requires(Permission.AUDIT_READ)])
@raises(CursorArchived)
async def verify_audit_logs(services: Services, query: Annotated[ChainQuery, Query()]) -> AuditVerificationResponse:
    """Verify that the audit log was not altered.

    Recomputes the chain of hashes over all entries that are not in archives. Keep `last_id` and `last_hash` outside the
    system, and send them later as `known_id` and `known_hash`, which reveals a log that was rewritten together with its
    hashes.
    """
    if (query.known_id is None) != (query.known_hash is None):
        raise Unprocessable.field("known_id", "requires known_hash and vice versa")
    known = KnownEntry(query.known_id, bytes.fromhex(query.known_hash)) if query.known_id and query.known_hash else None
    return await verify_chain(services.database, known)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {media: {"schema": {"type": "string"}} for media in MEDIA_TYPES.values()}}},
    dependencies=[requires(Permission.AUDIT_READ), CONSISTENT],
)
@raises(CursorArchived)
async def export_audit_logs(
    services: Services, caller: Caller, query: Annotated[ExportQuery, Query()]
) -> StreamingResponse:
    """Export the audit log for another system.

    One line per entry, oldest first, streamed: as JSON or in the Common Event Format for a SIEM, which continues after
    the `id` of its last line (`externalId` in CEF) with `after`. `chain` has every entry of the event log with its
    hashed columns, for `stockbuddy audit verify`; personal values are placeholders in it. It contains costs, so it
    requires `cost.read`, too; without that permission the other formats leave costs out. The data
    of events that the caller may not read is null.
    """
    if query.format == "chain":
        require(caller, Permission.COST_READ)
    async with services.database.reading() as session:
        (await read_extent(session)).require_kept_after(query.after)
    types = visible_types({*caller.permissions, Permission.EVENT_READ})
    permissions = field_permissions_among(caller.permissions)
    lines = export_entries(services.database, query, types, permissions)
    return StreamingResponse(lines, media_type=MEDIA_TYPES[query.format])


def _to_response(row: AuditRow, permissions: frozenset[str]) -> AuditEntryResponse:
    before, after = (
        None if data is None else visible_data(row.type, data, permissions) for data in (row.earlier_data, row.data)
    )
    return AuditEntryResponse(
        id=row.id,
        at=row.at,
        type=row.type,
        action=row.type.rpartition(".")[2],
        actor_id=row.actor_id,
        actor=row.actor,
        ip_address=row.client_ip,
        subject=row.subject,
        changes=changes_between(before, after or ""),
        request_id=row.request_id,
        hash=row.hash.hex(),
    )
