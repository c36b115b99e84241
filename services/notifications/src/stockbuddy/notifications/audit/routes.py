"""Routes of the audit trail and its verification, for admins."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from stockbuddy.chassis.http.authentication import Admin
from stockbuddy.chassis.http.errors import Unprocessable
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

router = APIRouter(prefix="/api/v1/audit-logs", tags=["audit"], route_class=ConditionalRoute)


@router.get("", dependencies=[CONSISTENT])
async def list_audit_logs(
    services: Services, _: Admin, filters: Annotated[AuditFilter, Query()]
) -> Page[AuditEntryResponse]:
    """List the audit log.

    Who did what, when, from which address, with what changes; newest first. Send the `X-Consistency` of a write to
    read the log with that write in it.
    """
    async with services.database.transaction() as session:
        found = await queries.list_entries(session, filters)
    return found.to_page(filters, _to_response)


@router.get("/verify")
async def verify_audit_logs(
    services: Services, _: Admin, query: Annotated[ChainQuery, Query()]
) -> AuditVerificationResponse:
    """Verify that the audit log was not altered.

    Recomputes the chain of hashes over all entries. Keep `last_id` and `last_hash` outside the system, and send
    them later as `known_id` and `known_hash`, which reveals a log that was rewritten together with its hashes.
    """
    if (query.known_id is None) != (query.known_hash is None):
        raise Unprocessable.field("known_id", "requires known_hash and vice versa")
    known = KnownEntry(query.known_id, bytes.fromhex(query.known_hash)) if query.known_id and query.known_hash else None
    return await verify_chain(services.database, known)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}}},
    dependencies=[CONSISTENT],
)
async def export_audit_logs(services: Services, _: Admin, query: Annotated[ExportQuery, Query()]) -> StreamingResponse:
    """Export the audit log for another system.

    One line per entry, oldest first, streamed: as JSON or in the Common Event Format for a SIEM, which continues after
    the `id` of its last line (`externalId` in CEF) with `after`. `chain` has every entry of the event log with its
    hashed columns, for `stockbuddy audit verify`; personal values are placeholders in it.
    """
    lines = export_entries(services.database, query.format, query.after, query.limit)
    return StreamingResponse(lines, media_type=MEDIA_TYPES[query.format])


def _to_response(row: AuditRow) -> AuditEntryResponse:
    return AuditEntryResponse(
        id=row.id,
        at=row.at,
        type=row.type,
        action=row.type.rpartition(".")[2],
        actor_id=row.actor_id,
        actor=row.actor,
        ip_address=row.client_ip,
        subject=row.subject,
        changes=changes_between(row.earlier_data, row.data),
        request_id=row.request_id,
        hash=row.hash.hex(),
    )
