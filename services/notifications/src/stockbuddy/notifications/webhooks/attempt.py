"""One attempt of a delivery: an HTTP request, and its result."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp
import structlog
from yarl import URL

from stockbuddy.chassis.runtime import clock
from stockbuddy.notifications.webhooks.egress_policy import AddressRejected
from stockbuddy.notifications.webhooks.retry_schedule import parse_retry_after
from stockbuddy.notifications.webhooks.signatures import sign_headers

log = structlog.get_logger(__name__)

MAX_KEPT_RESPONSE_BYTES = 1024
GONE = 410
NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class PendingDelivery:
    """A leased delivery. `secrets` sign the body; `attempt` counts from 1 within the retry schedule, whose previous
    attempt was at `previous_attempt_at`. `traceparent`: of the event's cause."""

    delivery_id: int
    event_id: str
    url: str
    secrets: tuple[str, ...]
    attempt: int
    previous_attempt_at: datetime | None
    body: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """`status_code` is None without a response; `error` is the reason. `response`: the beginning of its body."""

    at: datetime
    duration_ms: int
    status_code: int | None = None
    response: str | None = None
    error: str | None = None
    retry_after_seconds: float | None = None

    @property
    def is_success(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def is_gone(self) -> bool:
        return self.status_code == GONE

    def to_log_entry(self) -> dict[str, Any]:
        """The attempt's entry in the delivery's log, as clients see it."""
        return {
            "at": self.at.isoformat(),
            "duration_ms": self.duration_ms,
            "status_code": self.status_code,
            "answer": self.response,
            "error": self.error,
        }


Attempt = Callable[[aiohttp.ClientSession, PendingDelivery], Awaitable[AttemptResult]]


async def attempt_delivery(
    client: aiohttp.ClientSession, delivery: PendingDelivery, further_headers: Mapping[str, str] = NO_HEADERS
) -> AttemptResult:
    """Every failure is a result, not an exception, so that one delivery never affects another. Redirects are not
    followed."""
    at, started = clock.now(), time.perf_counter()

    def result(**details: Any) -> AttemptResult:
        return AttemptResult(at=at, duration_ms=round((time.perf_counter() - started) * 1000), **details)

    if not delivery.secrets:
        return result(error="the secret cannot be decrypted (SECRET_KEY has changed); rotate it")
    try:
        return result(**await _post(client, delivery, further_headers))
    except TimeoutError:
        return result(error="no response within the timeout")
    except aiohttp.ClientConnectorError as error:
        rejected = isinstance(error.os_error, AddressRejected)
        return result(error="the address is not public" if rejected else f"no connection: {error.os_error.strerror}")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return result(error=f"invalid response: {type(error).__name__}")
    except Exception as error:
        log.exception("webhooks.attempt_failed", delivery_id=delivery.delivery_id)
        return result(error=f"internal error: {type(error).__name__}")


async def _post(
    client: aiohttp.ClientSession, delivery: PendingDelivery, further_headers: Mapping[str, str]
) -> dict[str, Any]:
    headers = {
        **further_headers,
        **sign_headers(delivery.event_id, delivery.body, delivery.secrets),
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
    }
    url = URL(delivery.url, encoded=True)  # byte for byte as registered: signed URLs must not be normalised
    request = client.post(url, data=delivery.body.encode(), headers=headers, allow_redirects=False)
    async with request as response:
        return {
            "status_code": response.status,
            "response": await _read_beginning(response),
            "retry_after_seconds": parse_retry_after(response.headers.get("Retry-After")),
        }


async def _read_beginning(response: aiohttp.ClientResponse) -> str:
    """The first kilobyte, or as much as arrives, as text that PostgreSQL can store."""
    beginning = bytearray()
    try:
        while len(beginning) < MAX_KEPT_RESPONSE_BYTES:
            chunk = await response.content.read(MAX_KEPT_RESPONSE_BYTES - len(beginning))
            if not chunk:
                break
            beginning += chunk
    except (TimeoutError, aiohttp.ClientError):
        pass  # the status decides about success, and it has been received
    return beginning.decode("utf-8", "replace").replace("\0", "\ufffd")
