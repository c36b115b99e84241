"""Webhooks as clients see and send them."""

import re
from datetime import datetime
from ipaddress import ip_address
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from stockbuddy.chassis.fields import NO_NUL, InvalidValue, Omittable, RequestBody, UtcTime
from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.notifications.event_log.known_types import require_known_type
from stockbuddy.notifications.event_log.patterns import parse_patterns
from stockbuddy.notifications.webhooks.model import Delivery, DeliveryState

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\.?$){_LABEL}(\.{_LABEL})*\.?", re.IGNORECASE)
"""RFC 1035, plus underscores, which are used in practice. Other alphabets are written in punycode."""


def _validate_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidValue("url_invalid", "must be an http or https URL")
    if parts.username or parts.password:
        raise InvalidValue("url_with_credentials", "must not contain credentials; verify the signature instead")
    if parts.port == 0:
        raise InvalidValue("url_invalid", "port must not be 0")
    if not (_HOST.fullmatch(parts.hostname) or _is_ip_address(parts.hostname)):
        raise InvalidValue("url_invalid", "must contain a valid DNS name or IP address")
    return url


def _is_ip_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


Url = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[\x21-\x7e]+$"),
    AfterValidator(_validate_url),
]


def _validate_event_types(event_types: list[str]) -> list[str]:
    patterns = parse_patterns(event_types)
    for pattern in patterns:
        require_known_type(pattern)
    return list(patterns)


EventTypes = Annotated[list[str], Field(min_length=1), AfterValidator(_validate_event_types)]
Description = Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)]


class WebhookCreate(RequestBody):
    """`event_types` are patterns: `stock.*` matches every event of stock, `*` every event."""

    url: Url
    event_types: EventTypes = ["*"]
    description: Description | None = None
    is_active: StrictBool = True


class WebhookUpdate(RequestBody):
    """Absent fields stay unchanged."""

    url: Omittable[Url]
    event_types: Omittable[EventTypes]
    description: Omittable[Description | None]
    is_active: Omittable[StrictBool]


class WebhookResponse(BaseModel):
    """`failing_since`: every delivery has failed since then. `disabled_reason`: why the system disabled it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    url: str
    event_types: list[str]
    description: str | None
    is_active: bool
    failing_since: datetime | None
    disabled_reason: str | None
    version: int
    created_at: datetime
    updated_at: datetime


class WebhookCreateResponse(WebhookResponse):
    """`secret` is returned only here."""

    secret: str


class RotateSecret(RequestBody):
    """Both secrets sign for `overlap_seconds` (default: one day), so that receivers can switch."""

    overlap_seconds: Annotated[float, Field(ge=0, le=30 * 86_400)] | None = None


class RotateSecretResponse(BaseModel):
    """`secret` is returned only here."""

    secret: str
    previous_secret_until: datetime | None


class ResendEvents(RequestBody):
    """Events since then that the webhook missed while it was failing or disabled."""

    since: UtcTime


class ResendEventsResponse(BaseModel):
    """`requested`: how many deliveries were requested. `has_more`: repeat the request for further ones."""

    requested: int
    has_more: bool


class DeliveryFilter(PageQuery):
    state: DeliveryState | None = None


class AttemptResponse(BaseModel):
    """`status_code` is null without a response; `error` is the reason. `answer`: the response's first kilobyte."""

    at: datetime
    duration_ms: int
    status_code: int | None
    answer: str | None
    error: str | None


class DeliveryResponse(BaseModel):
    """`status_code`, `duration_ms`, `answer` and `error` are those of the latest attempt; `log` has all attempts."""

    id: int
    webhook_id: int
    event_id: str
    event_type: str
    state: DeliveryState
    attempts: int
    status_code: int | None
    duration_ms: int | None
    answer: str | None
    error: str | None
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None
    log: list[AttemptResponse]

    @classmethod
    def from_model(cls, delivery: Delivery) -> Self:
        latest = delivery.log[-1] if delivery.log else {}
        return cls.model_validate(
            {
                "id": delivery.id,
                "webhook_id": delivery.webhook_id,
                "event_id": str(delivery.event_id),
                "event_type": delivery.event_type,
                "state": delivery.state,
                "attempts": delivery.attempts,
                **{name: latest.get(name) for name in ("status_code", "duration_ms", "answer", "error")},
                "next_attempt_at": delivery.next_attempt_at if delivery.state == "pending" else None,
                "created_at": delivery.created_at,
                "finished_at": delivery.finished_at,
                "log": delivery.log,
            }
        )
