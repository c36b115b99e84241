"""Errors of this service; the class docstring is the detail that clients read."""

from typing import Annotated

from pydantic import Field

from stockbuddy.chassis.http.errors import Conflict, NotFound, TooManyRequests, Unavailable, Unprocessable


class UnknownNotification(NotFound):
    """There is no such notification, or it is not addressed to you."""

    code = "unknown_notification"


class UnknownRecipient(Unprocessable):
    """There is no user with this id."""

    code = "unknown_user"


class UnknownEmail(NotFound):
    """There is no such e-mail."""

    code = "unknown_email"


class EmailNotFailed(Conflict):
    """Only a failed e-mail can be retried."""

    code = "email_not_failed"


class UnknownWebhook(NotFound):
    """There is no such webhook."""

    code = "unknown_webhook"


class UnknownDelivery(NotFound):
    """This webhook has no such delivery."""

    code = "unknown_delivery"


class TooManyStreams(TooManyRequests):
    """Too many streams and waiting requests of this caller are open; close one first."""

    code = "too_many_streams"
    members = {"limit": Annotated[int | None, Field(None, description="The largest number of streams of a caller.")]}

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "10"})


class CursorAhead(Conflict):
    """This cursor is from before the event log was restored, or beyond its end; continue from `head`."""

    code = "cursor_ahead"
    members = {"head": Annotated[str, Field(description="The cursor to continue from: the end of the log.")]}


class CursorArchived(Conflict):
    """Entries that follow this one are only in archives; read those, and continue from `start`."""

    code = "cursor_archived"
    members = {
        "start": Annotated[str, Field(description="The cursor after which the log has all events.")],
        "last_archived_id": Annotated[int, Field(description="The id of the last entry in the archives.")],
    }

    def __init__(self, last_archived_id: int, *, start: str) -> None:
        super().__init__(start=start, last_archived_id=last_archived_id)


class WriteNotVisible(Unavailable):
    """The write that X-Consistency names is not in the event log yet; retry, or read without the header."""

    code = "write_not_visible"


class AddressNotAllowed(Unprocessable):
    """Webhooks may only use public addresses; WEBHOOK_ALLOW_PRIVATE=true allows private ones."""

    code = "address_not_allowed"


class TooManyWebhooks(Conflict):
    """The maximum number of webhooks exists; delete one first."""

    code = "too_many_webhooks"


class TooManySecrets(Conflict):
    """Too many earlier secrets of this webhook still sign; wait until one has expired, or rotate without overlap."""

    code = "too_many_secrets"


class DeliveryInFlight(Conflict):
    """An attempt of this delivery is in flight; retry when it has finished."""

    code = "delivery_in_flight"


class WebhookInactive(Conflict):
    """This webhook is not active; set `is_active` first."""

    code = "webhook_inactive"
