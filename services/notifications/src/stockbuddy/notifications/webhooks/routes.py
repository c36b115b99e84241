"""HTTP of webhooks, for admins."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.etags import ConditionalRoute, require_match, version_etag
from stockbuddy.chassis.http.authentication import Admin
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.notifications.errors import UnknownDelivery, UnknownWebhook
from stockbuddy.notifications.fields import PathId
from stockbuddy.notifications.listing import window_of
from stockbuddy.notifications.settings import NotificationsSettings
from stockbuddy.notifications.webhooks import commands, queries
from stockbuddy.notifications.webhooks.egress_policy import refuse_inside
from stockbuddy.notifications.webhooks.model import Webhook
from stockbuddy.notifications.webhooks.queries import Delivery, DeliveryState
from stockbuddy.notifications.webhooks.schemas import (
    AttemptView,
    ChangeWebhook,
    CreatedWebhook,
    CreateWebhook,
    DeliveryView,
    RotatedSecret,
    RotateSecret,
    WebhookView,
)

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"], route_class=ConditionalRoute)

_attempts = TypeAdapter(list[AttemptView])


@router.get("")
async def list_webhooks(_: Admin, session: ReadSession, paging: PageParameters) -> Page[WebhookView]:
    window = window_of(paging)
    found = await queries.list_webhooks(session, window)
    return Page(
        items=[WebhookView.model_validate(webhook) for webhook in window.shown(found)],
        page=paging.page,
        page_size=paging.page_size,
        total=await queries.count_webhooks(session),
        next_cursor=window.next_cursor(found),
    )


@router.post("", status_code=201)
async def create_webhook(
    body: CreateWebhook, _: Admin, session: Session, request: Request, response: Response
) -> CreatedWebhook:
    await _refuse_inside(request, body.url)
    webhook = await commands.create_webhook(session, **body.model_dump())
    response.headers["ETag"] = version_etag(webhook.version)
    return CreatedWebhook.model_validate(webhook)


@router.get("/{webhook_id}")
async def get_webhook(webhook_id: PathId, _: Admin, session: ReadSession, response: Response) -> WebhookView:
    return _view(_existing(await queries.find_webhook(session, webhook_id)), response)


@router.put("/{webhook_id}")
@router.patch("/{webhook_id}", name="patch_webhook")
async def change_webhook(
    webhook_id: PathId, body: ChangeWebhook, _: Admin, session: Session, request: Request, response: Response
) -> WebhookView:
    webhook = await _locked(session, webhook_id, request)
    if "url" in body.model_fields_set:
        await _refuse_inside(request, body.url)
    await commands.change_webhook(session, webhook, body.model_dump(exclude_unset=True))
    return _view(webhook, response)


@router.delete("/{webhook_id}", status_code=204)
async def delete_webhook(webhook_id: PathId, _: Admin, session: Session, request: Request) -> None:
    await commands.delete_webhook(session, await _locked(session, webhook_id, request))


@router.post("/{webhook_id}/rotate-secret")
async def rotate_webhook_secret(
    webhook_id: PathId, _: Admin, session: Session, request: Request, body: RotateSecret | None = None
) -> RotatedSecret:
    webhook = await _locked(session, webhook_id, request)
    settings: NotificationsSettings = request.app.state.settings
    wanted = body.overlap_seconds if body else None
    secret = commands.rotate_secret(session, webhook, settings.webhook_rotation_seconds if wanted is None else wanted)
    until = webhook.previous_secret_until if webhook.previous_secret else None
    return RotatedSecret(secret=secret, previous_secret_until=until)


@router.post("/{webhook_id}/test", status_code=202)
async def send_test_to_webhook(webhook_id: PathId, _: Admin, session: Session, request: Request) -> DeliveryView:
    return _delivery_view(await commands.send_test(session, await _locked(session, webhook_id, request)))


@router.get("/{webhook_id}/deliveries")
async def list_webhook_deliveries(
    webhook_id: PathId,
    _: Admin,
    session: ReadSession,
    paging: PageParameters,
    state: Annotated[DeliveryState | None, Query()] = None,
) -> Page[DeliveryView]:
    _existing(await queries.find_webhook(session, webhook_id))
    window = window_of(paging)
    found = await queries.list_deliveries(session, webhook_id, window, state)
    return Page(
        items=[_delivery_view(delivery) for delivery in window.shown(found)],
        page=paging.page,
        page_size=paging.page_size,
        total=await queries.count_deliveries(session, webhook_id, state),
        next_cursor=window.next_cursor(found),
    )


@router.get("/{webhook_id}/deliveries/{delivery_id}")
async def get_webhook_delivery(webhook_id: PathId, delivery_id: PathId, _: Admin, session: ReadSession) -> DeliveryView:
    delivery = await queries.find_delivery(session, webhook_id, delivery_id)
    if delivery is None:
        raise UnknownDelivery()
    return _delivery_view(delivery)


@router.post("/{webhook_id}/deliveries/{delivery_id}/redeliver", status_code=202)
async def redeliver_to_webhook(
    webhook_id: PathId, delivery_id: PathId, _: Admin, session: Session, request: Request
) -> DeliveryView:
    webhook = await _locked(session, webhook_id, request)
    return _delivery_view(await commands.redeliver(session, webhook, delivery_id))


async def _refuse_inside(request: Request, url: str) -> None:
    settings: NotificationsSettings = request.app.state.settings
    if not settings.webhook_allow_private:
        await refuse_inside(urlsplit(url).hostname or "", request.app.state.webhook_sender.resolver)


async def _locked(session: AsyncSession, webhook_id: int, request: Request) -> Webhook:
    webhook = _existing(await queries.lock_webhook(session, webhook_id))
    require_match(request, version_etag(webhook.version))
    return webhook


def _existing(webhook: Webhook | None) -> Webhook:
    if webhook is None:
        raise UnknownWebhook()
    return webhook


def _view(webhook: Webhook, response: Response) -> WebhookView:
    response.headers["ETag"] = version_etag(webhook.version)
    return WebhookView.model_validate(webhook)


def _delivery_view(delivery: Delivery) -> DeliveryView:
    attempts = _attempts.validate_json(delivery.log)
    latest = attempts[-1] if attempts else None
    return DeliveryView(
        id=delivery.id,
        webhook_id=delivery.webhook_id,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        state=delivery.state,
        attempts=delivery.attempts,
        status_code=latest.status_code if latest else None,
        duration_ms=latest.duration_ms if latest else None,
        answer=latest.answer if latest else None,
        error=latest.error if latest else None,
        next_attempt_at=delivery.next_attempt_at if delivery.state == "pending" else None,
        created_at=delivery.created_at,
        finished_at=delivery.finished_at,
        log=attempts,
    )
