"""Routes of queued e-mails, for admins."""

from typing import Annotated

from fastapi import APIRouter, Query

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.notifications.email import commands, queries
from stockbuddy.notifications.email.schemas import EmailFilter, NotificationEmailResponse
from stockbuddy.notifications.errors import EmailNotFailed, UnknownEmail

router = APIRouter(prefix="/api/v1/notifications/emails", tags=["notifications"], route_class=ConditionalRoute)


@router.get("", dependencies=[requires(Permission.SYSTEM_READ)])
async def list_notification_emails(
    session: ReadSession, filters: Annotated[EmailFilter, Query()]
) -> Page[NotificationEmailResponse]:
    """List e-mails of notifications.

    Those of the last 90 days with the reasons of failures, newest first.
    """
    found = await queries.list_emails(session, filters)
    return found.to_page(filters, NotificationEmailResponse.model_validate)


@router.post("/{email_id}/retry", dependencies=[requires(Permission.EMAIL_RETRY)])
@raises(UnknownEmail, EmailNotFailed)
async def retry_notification_email(email_id: Id, session: Session) -> NotificationEmailResponse:
    """Send a failed e-mail again.

    It is queued and sent within moments.
    """
    return NotificationEmailResponse.model_validate(await commands.retry_email(session, email_id))
