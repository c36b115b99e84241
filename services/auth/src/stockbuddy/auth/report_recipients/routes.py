"""HTTP of the recipients of reports."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.report_recipients.queries import select_readers
from stockbuddy.auth.report_recipients.schemas import ReportRecipientFilter, ReportRecipientResponse
from stockbuddy.auth.roles.queries import list_custom_roles
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.access.roles import PERMISSIONS_BY_ROLE
from stockbuddy.chassis.http.authentication import UserSession, requires
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page, SortOrder, fetch_page
from stockbuddy.chassis.http.sessions import ReadSession

router = APIRouter(prefix="/api/v1/report-recipients", tags=["users"], route_class=ConditionalRoute)

SHOWN_BY_REPORTS = (Permission.REPORT_READ, Permission.COST_READ, Permission.CUSTOMER_READ)
"""The permissions by which reports differ: readers of a result need those of the owner of its schedule."""
OLDEST_FIRST = SortOrder("id_asc", [User.id])


@router.get("", dependencies=[requires(Permission.REPORT_READ)])
async def list_report_recipients(
    caller: UserSession, session: ReadSession, filters: Annotated[ReportRecipientFilter, Query()]
) -> Page[ReportRecipientResponse]:
    """List the possible recipients of scheduled reports.

    Active users who may read reports, by id and name, oldest first. Choosing recipients does not require the
    permission `user.read`. One who lacks a permission that the caller's reports need is listed with it.
    """
    permissions = await _permissions_of_readers(session)
    users = await fetch_page(session, select_readers(permissions.keys(), filters), OLDEST_FIRST, filters)
    required = [permission for permission in SHOWN_BY_REPORTS if permission in caller.permissions]

    def to_response(user: User) -> ReportRecipientResponse:
        missing = [permission for permission in required if permission not in permissions[user.role]]
        return ReportRecipientResponse(id=user.id, name=user.full_name or user.username, missing_permissions=missing)

    return users.to_page(filters, to_response)


async def _permissions_of_readers(session: AsyncSession) -> Mapping[str, frozenset[Permission]]:
    """Of the roles that may read reports, by name."""
    custom = {role.name: role.rights.permissions for role in await list_custom_roles(session)}
    roles = {**PERMISSIONS_BY_ROLE, **custom}
    return {name: permissions for name, permissions in roles.items() if Permission.REPORT_READ in permissions}
