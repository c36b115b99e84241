"""HTTP of the e-mail queue, for admins."""

from typing import Annotated

from fastapi import APIRouter, Query

from stockbuddy.auth.email import commands, queue
from stockbuddy.auth.email.model import QueuedEmail
from stockbuddy.auth.email.schemas import AccountEmailResponse, EmailFilter
from stockbuddy.auth.errors import EmailNotFound, EmailWaiting
from stockbuddy.auth.fields import PathId
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page, SortOrder, fetch_page
from stockbuddy.chassis.http.sessions import ReadSession, Session

router = APIRouter(prefix="/api/v1/auth/emails", tags=["auth"], route_class=ConditionalRoute)

NEWEST_FIRST = SortOrder("id_desc", [QueuedEmail.id], descending=True)


@router.get("", dependencies=[requires(Permission.SYSTEM_READ)])
async def list_emails(session: ReadSession, filters: Annotated[EmailFilter, Query()]) -> Page[AccountEmailResponse]:
    """List e-mails to users that were not sent.

    Newest first, with the reason of the last failure.
    """
    emails = await fetch_page(session, queue.select_emails(failed=filters.failed), NEWEST_FIRST, filters)
    return emails.to_page(filters, AccountEmailResponse.model_validate)


@router.post("/{email_id}/retry", dependencies=[requires(Permission.EMAIL_RETRY)])
@raises(EmailNotFound, EmailWaiting)
async def retry_email(email_id: PathId, session: Session) -> AccountEmailResponse:
    """Send an e-mail that was set aside.

    It is queued again and sent within moments.
    """
    return AccountEmailResponse.model_validate(await commands.retry_email(session, email_id))
