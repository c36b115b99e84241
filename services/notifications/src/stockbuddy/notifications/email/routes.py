"""Routes of queued e-mails, for admins."""

from typing import Annotated

from fastapi import APIRouter, Query

from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Admin
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.notifications.email import commands, queries
from stockbuddy.notifications.email.schemas import EmailFilter, QueuedEmailResponse

router = APIRouter(prefix="/api/v1/notifications/emails", tags=["notifications"], route_class=ConditionalRoute)


@router.get("")
async def list_notification_emails(
    _: Admin, session: ReadSession, filters: Annotated[EmailFilter, Query()]
) -> Page[QueuedEmailResponse]:
    """E-mails of the last 90 days with the reasons of failures; newest first."""
    found = await queries.list_emails(session, filters)
    return found.to_page(filters, QueuedEmailResponse.model_validate)


@router.post("/{email_id}/retry")
async def retry_notification_email(email_id: Id, _: Admin, session: Session) -> QueuedEmailResponse:
    """Send a failed e-mail again."""
    return QueuedEmailResponse.model_validate(await commands.retry_email(session, email_id))
