"""Webhooks as clients see and send them."""

import re
from datetime import datetime
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from stockbuddy.notifications.event_log.patterns import PATTERN
from stockbuddy.notifications.fields import TEXT
from stockbuddy.notifications.webhooks.queries import DeliveryState

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\.?$){_LABEL}(\.{_LABEL})*\.?", re.IGNORECASE)
"""RFC 1035, and underscores, which do occur. Other alphabets are written in punycode."""


def _check_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https address")
    if parts.username or parts.password:
        raise ValueError("must not hold credentials; verify the signature instead")
    if parts.port == 0:
        raise ValueError("must not name port 0")
    if not (_HOST.fullmatch(parts.hostname) or _is_address(parts.hostname)):
        raise ValueError("must name a host as DNS knows it, or an IP address")
    return url


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


Url = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[\x21-\x7e]+$"),
    AfterValidator(_check_url),
]
EventTypes = Annotated[
    list[Annotated[str, StringConstraints(pattern=f"^{PATTERN}$")]], Field(min_length=1, max_length=50)
]
Description = Annotated[str, StringConstraints(max_length=200, pattern=TEXT)]


class CreateWebhook(BaseModel):
    """`event_types` are patterns: `stock.*` is all that stock says, `*` everything."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    event_types: EventTypes = ["*"]
    description: Description | None = None
    is_active: StrictBool = True


class ChangeWebhook(BaseModel):
    """What is left out stays."""

    model_config = ConfigDict(extra="forbid")

    url: Url = ""
    event_types: EventTypes = []
    description: Description | None = None
    is_active: StrictBool = True


class WebhookView(BaseModel):
    """`failing_since` is null while it answers well; `disabled_reason` says why we switched it off."""

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


class CreatedWebhook(WebhookView):
    """`secret` is shown here and never again."""

    secret: str


class RotateSecret(BaseModel):
    """For `overlap_seconds` both secrets sign, so that receivers can change over; default: a day."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: Annotated[float, Field(ge=0, le=30 * 86_400)] | None = None


class RotatedSecret(BaseModel):
    """`secret` is shown here and never again."""

    secret: str
    previous_secret_until: datetime | None


class AttemptView(BaseModel):
    """Without `status_code` there was no answer, and `error` says why. `answer` is its first kilobyte."""

    at: datetime
    duration_ms: int
    status_code: int | None
    answer: str | None
    error: str | None


class DeliveryView(BaseModel):
    """`status_code`, `duration_ms`, `answer` and `error` are those of the latest attempt; `log` has them all."""

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
    log: list[AttemptView]
