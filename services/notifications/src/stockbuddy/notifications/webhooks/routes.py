"""Routes of webhooks and their deliveries, for admins."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller, requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch, version_etag
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.runtime import clock
from stockbuddy.notifications.dependencies import NotificationsServices, Services, get_services
from stockbuddy.notifications.errors import (
    AddressNotAllowed,
    DeliveryInFlight,
    TooManySecrets,
    TooManyWebhooks,
    UnknownDelivery,
    UnknownWebhook,
    WebhookInactive,
)
from stockbuddy.notifications.webhooks import commands, queries
from stockbuddy.notifications.webhooks.egress_policy import require_public_host
from stockbuddy.notifications.webhooks.model import Webhook
from stockbuddy.notifications.webhooks.schemas import (
    DeliveryFilter,
    DeliveryResponse,
    ResendEvents,
    ResendEventsResponse,
    RotateSecret,
    RotateSecretResponse,
    WebhookCreate,
    WebhookCreateResponse,
    WebhookResponse,
    WebhookUpdate,
)


class EncryptedIdempotentRoute(ConditionalRoute):
    """Route class of calls whose response contains a secret: the stored response is encrypted."""

    def encode_stored(self, request: Request, body: str) -> str:
        return get_services(request).secret_box.encrypt(body.encode()).decode()

    def decode_stored(self, request: Request, stored: str) -> str:
        return get_services(request).secret_box.decrypt(stored.encode()).decode()


router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"], route_class=ConditionalRoute)
secret_router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"], route_class=EncryptedIdempotentRoute)


@router.get("", dependencies=[requires(Permission.WEBHOOK_MANAGE)])
async def list_webhooks(session: ReadSession, query: PageParameters) -> Page[WebhookResponse]:
    """List webhooks.

    Newest first, without their secrets.
    """
    found = await queries.list_webhooks(session, query)
    return found.to_page(query, WebhookResponse.model_validate)


@secret_router.post("", status_code=201, dependencies=[requires(Permission.WEBHOOK_MANAGE)])
@raises(AddressNotAllowed, TooManyWebhooks)
async def create_webhook(
    body: WebhookCreate, caller: Caller, session: Session, services: Services, response: Response
) -> WebhookCreateResponse:
    """Register a webhook.

    Every event that you may read and whose type matches `event_types` is posted to `url`, signed as Standard
    Webhooks, and retried with growing delays for days. The `secret` is returned only here. Private addresses are
    rejected unless the operator allows them; at most 100 webhooks.
    """
    await _require_allowed_url(services, body.url)
    webhook, secret = await commands.create_webhook(session, caller, body, services.secret_box)
    response.headers["ETag"] = version_etag(webhook.version)
    return WebhookCreateResponse(**WebhookResponse.model_validate(webhook).model_dump(), secret=secret)


@router.get("/{webhook_id}", dependencies=[requires(Permission.WEBHOOK_MANAGE)])
@raises(UnknownWebhook)
async def get_webhook(webhook_id: Id, session: ReadSession, response: Response) -> WebhookResponse:
    """Read a webhook.

    `failing_since` shows since when no delivery has succeeded.
    """
    return _to_response(await queries.load_webhook(session, webhook_id), response)


@router.put("/{webhook_id}", name="update_webhook_put", dependencies=[requires(Permission.WEBHOOK_MANAGE)])
@router.patch("/{webhook_id}", dependencies=[requires(Permission.WEBHOOK_MANAGE)])
@raises(UnknownWebhook, AddressNotAllowed)
async def update_webhook(
    webhook_id: Id,
    body: WebhookUpdate,
    caller: Caller,
    session: Session,
    services: Services,
    response: Response,
    if_match: IfMatch = None,
) -> WebhookResponse:
    """Change a webhook.

    PUT and PATCH do the same: absent fields keep their values. Activating a disabled webhook does not deliver what
    it missed: see `POST /webhooks/{webhook_id}/resend`. Afterwards it receives the events and fields that you may read.
    """
    webhook = await commands.lock_webhook(session, webhook_id, if_match)
    fields = body.sent_fields()
    if "url" in fields:
        await _require_allowed_url(services, fields["url"])
    await commands.update_webhook(session, caller, webhook, fields)
    return _to_response(webhook, response)


@router.delete("/{webhook_id}", status_code=204, dependencies=[requires(Permission.WEBHOOK_MANAGE)])
@raises(UnknownWebhook)
async def delete_webhook(webhook_id: Id, session: Session, if_match: IfMatch = None) -> None:
    """Delete a webhook.

    Pending deliveries are dropped.
    """
    await commands.delete_webhook(session, await commands.lock_webhook(session, webhook_id, if_match))


@secret_router.post("/{webhook_id}/rotate-secret", dependencies=[requires(Permission.WEBHOOK_MANAGE)])
@raises(UnknownWebhook, TooManySecrets)
async def rotate_webhook_secret(
    webhook_id: Id,
    session: Session,
    services: Services,
    body: RotateSecret | None = None,
    if_match: IfMatch = None,
) -> RotateSecretResponse:
    """Rotate the secret of a webhook.

    The new `secret` is returned only here. For `overlap_seconds` (one day by default) deliveries carry the
    signatures of both secrets, so that the receiver can switch in between.
    """
    webhook = await commands.lock_webhook(session, webhook_id, if_match)
    overlap_seconds = services.settings.webhook_rotation_seconds
    if body is not None and body.overlap_seconds is not None:
        overlap_seconds = body.overlap_seconds
    until = clock.now() + timedelta(seconds=overlap_seconds)
    secret = await commands.rotate_secret(session, webhook, services.secret_box, signs_until=until)
    return RotateSecretResponse(secret=secret, previous_secret_until=until if overlap_seconds else None)


@router.post("/{webhook_id}/test", status_code=202, dependencies=[requires(Permission.WEBHOOK_MANAGE)])
@raises(UnknownWebhook)
async def request_webhook_test(webhook_id: Id, session: Session, if_match: IfMatch = None) -> DeliveryResponse:
    """Send a test event to a webhook.

    An event of type `notifications.webhook.test`, delivered like any other; read the result in the deliveries.
    """
    webhook = await commands.lock_webhook(session, webhook_id, if_match)
    return DeliveryResponse.from_model(await commands.send_test(session, webhook))


@router.post("/{webhook_id}/resend", status_code=202, dependencies=[requires(Permission.WEBHOOK_MANAGE)])
@raises(UnknownWebhook, WebhookInactive)
async def resend_webhook_events(
    webhook_id: Id, body: ResendEvents, session: Session, if_match: IfMatch = None
) -> ResendEventsResponse:
    """Deliver events that a webhook missed.

    From the time `since` on: events whose delivery failed, and those that occurred while the webhook was disabled. At
    most 10,000 per request: repeat it while `has_more` is true.
    """
    webhook = await commands.lock_webhook(session, webhook_id, if_match)
    requested = await commands.resend(session, webhook, body.since)
    return ResendEventsResponse(requested=requested, has_more=requested == commands.MAX_RESENT)


@router.get("/{webhook_id}/deliveries", dependencies=[requires(Permission.WEBHOOK_MANAGE)])
@raises(UnknownWebhook)
async def list_webhook_deliveries(
    webhook_id: Id, session: ReadSession, filters: Annotated[DeliveryFilter, Query()]
) -> Page[DeliveryResponse]:
    """List the deliveries of a webhook.

    Newest first, each with its attempts and the receiver's responses.
    """
    webhook = await queries.load_webhook(session, webhook_id)
    found = await queries.list_deliveries(session, webhook.id, filters)
    return found.to_page(filters, DeliveryResponse.from_model)


@router.get("/{webhook_id}/deliveries/{delivery_id}", dependencies=[requires(Permission.WEBHOOK_MANAGE)])
@raises(UnknownDelivery)
async def get_webhook_delivery(webhook_id: Id, delivery_id: Id, session: ReadSession) -> DeliveryResponse:
    """Read a delivery of a webhook.

    With all its attempts.
    """
    return DeliveryResponse.from_model(await queries.load_delivery(session, webhook_id, delivery_id))


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=202,
    dependencies=[requires(Permission.WEBHOOK_MANAGE)],
)
@raises(UnknownWebhook, DeliveryInFlight, WebhookInactive, UnknownDelivery)
async def redeliver_webhook_delivery(
    webhook_id: Id, delivery_id: Id, session: Session, if_match: IfMatch = None
) -> DeliveryResponse:
    """Deliver an event again.

    Queues the delivery at once, whether it has succeeded or failed.
    """
    webhook = await commands.lock_webhook(session, webhook_id, if_match)
    return DeliveryResponse.from_model(await commands.redeliver(session, webhook, delivery_id))


async def _require_allowed_url(services: NotificationsServices, url: str) -> None:
    if not services.settings.webhook_allow_private:
        await require_public_host(urlsplit(url).hostname or "", services.resolver)


def _to_response(webhook: Webhook, response: Response) -> WebhookResponse:
    response.headers["ETag"] = version_etag(webhook.version)
    return WebhookResponse.model_validate(webhook)
