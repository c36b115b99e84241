"""GET /audit-logs and its proof, for admins."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import StringConstraints

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.authentication import Admin
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.notifications.audit import queries
from stockbuddy.notifications.audit.changes import changes_between
from stockbuddy.notifications.audit.queries import AuditFilter, AuditRow
from stockbuddy.notifications.audit.schemas import AuditEntry, AuditVerdict
from stockbuddy.notifications.audit.verification import Noted, verify_chain
from stockbuddy.notifications.event_log.filters import Patterns
from stockbuddy.notifications.fields import Id, Moment, Word
from stockbuddy.notifications.listing import window_of

router = APIRouter(prefix="/api/v1/audit-logs", tags=["audit"], route_class=ConditionalRoute)


@router.get("")
async def list_audit_logs(
    request: Request,
    _: Admin,
    paging: PageParameters,
    type: Annotated[Patterns | None, Query(description="Patterns such as `auth.*`, by commas.")] = None,
    action: Annotated[str | None, StringConstraints(pattern="^[a-z0-9_]{1,50}$"), Query()] = None,
    actor_id: Id | None = None,
    actor: Word | None = None,
    ip_address: Word | None = None,
    subject: Word | None = None,
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="Exclusive.")] = None,
    request_id: Word | None = None,
    search: Annotated[Word | None, Query(description="Words or their beginnings.")] = None,
) -> Page[AuditEntry]:
    narrowed = AuditFilter(
        types=tuple(part.strip() for part in type.split(",")) if type else None,
        action=action,
        actor_id=actor_id,
        actor=actor,
        ip_address=ip_address,
        subject=subject,
        since=since,
        until=until,
        request_id=request_id,
        search=search if search and search.strip() else None,
    )
    window = window_of(paging)
    database: Database = request.app.state.database
    async with database.transaction() as session:
        selection = await queries.list_entries(session, narrowed, window)
    return Page(
        items=[_entry(row) for row in window.shown(selection.rows)],
        page=paging.page,
        page_size=paging.page_size,
        total=selection.total,
        next_cursor=window.next_cursor(selection.rows),
    )


@router.get("/verify")
async def verify_audit_logs(
    request: Request,
    _: Admin,
    known_id: Annotated[Id | None, Query(description="An earlier `last_id`.")] = None,
    known_hash: Annotated[str | None, StringConstraints(pattern="^[0-9a-f]{64}$"), Query()] = None,
) -> AuditVerdict:
    if (known_id is None) != (known_hash is None):
        raise Unprocessable.field("known_id", "comes with known_hash")
    noted = Noted(known_id, bytes.fromhex(known_hash)) if known_id and known_hash else None
    return await verify_chain(request.app.state.database, noted)


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
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
