"""HTTP of the e-mail queue, for admins."""

from typing import Annotated

from fastapi import APIRouter, Query

from stockbuddy.auth.email import commands, queue
from stockbuddy.auth.email.model import QueuedEmail
from stockbuddy.auth.email.schemas import EmailFilter, QueuedEmailResponse
from stockbuddy.auth.fields import PathId
from stockbuddy.chassis.http.authentication import Admin
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page, SortOrder, fetch_page
from stockbuddy.chassis.http.sessions import ReadSession, Session

router = APIRouter(prefix="/api/v1/auth/emails", tags=["auth"], route_class=ConditionalRoute)

NEWEST_FIRST = SortOrder("id_desc", [QueuedEmail.id], descending=True)


@router.get("")
async def list_emails(
    _: Admin, session: ReadSession, filters: Annotated[EmailFilter, Query()]
) -> Page[QueuedEmailResponse]:
    """E-mails to users that have not been sent, with the reason; newest first."""
    emails = await fetch_page(session, queue.select_emails(failed=filters.failed), NEWEST_FIRST, filters)
    return emails.to_page(filters, QueuedEmailResponse.model_validate)


@router.post("/{email_id}/retry")
async def retry_email(email_id: PathId, _: Admin, session: Session) -> QueuedEmailResponse:
    """Send an e-mail that was set aside."""
    return QueuedEmailResponse.model_validate(await commands.retry_email(session, email_id))
