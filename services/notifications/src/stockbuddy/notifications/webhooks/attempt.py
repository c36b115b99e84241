"""One attempt to deliver: what is sent, and what came back."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from stockbuddy.notifications.webhooks.egress_policy import AddressRefused
from stockbuddy.notifications.webhooks.retry_schedule import seconds_of_retry_after
from stockbuddy.notifications.webhooks.signatures import signed_headers

KEPT_ANSWER_BYTES = 1024
GONE = 410


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery that is due: where it goes, its body, and the secrets that sign it."""

    delivery_id: int
    event_id: str
    url: str
    secrets: tuple[str, ...]
    tries: int
    body: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt. Without `status_code` there was no answer, and `error` says why."""

    at: datetime
    duration_ms: int
    status_code: int | None = None
    answer: str | None = None
    error: str | None = None
    asked_seconds: float | None = None

    @property
    def succeeded(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def is_gone(self) -> bool:
        return self.status_code == GONE

    def entry(self) -> dict[str, Any]:
        """Its line in the delivery's log."""
        return {
            "at": self.at.isoformat(),
            "duration_ms": self.duration_ms,
            "status_code": self.status_code,
            "answer": self.answer,
            "error": self.error,
        }


async def attempt(client: aiohttp.ClientSession, parcel: Parcel) -> Outcome:
    """Never raises for what the receiver or the network does. Redirects are answers that are not 2xx."""
    at, started = datetime.now(UTC), time.perf_counter()

    def outcome(**details: Any) -> Outcome:
        return Outcome(at=at, duration_ms=round((time.perf_counter() - started) * 1000), **details)

    headers = {
        **signed_headers(parcel.event_id, parcel.body, parcel.secrets),
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
    }
    try:
        async with client.post(parcel.url, data=parcel.body.encode(), headers=headers, allow_redirects=False) as answer:
            return outcome(
                status_code=answer.status,
                answer=await _beginning(answer),
                asked_seconds=seconds_of_retry_after(answer.headers.get("Retry-After")),
            )
    except TimeoutError:
        return outcome(error="no answer in time")
    except aiohttp.ClientConnectorError as error:
        refused = isinstance(error.os_error, AddressRefused)
        return outcome(error="the address is not public" if refused else f"no connection: {error.os_error.strerror}")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return outcome(error=f"no proper answer: {type(error).__name__}")


async def _beginning(answer: aiohttp.ClientResponse) -> str:
    """The first kilobyte, or as much of it as comes, as text that PostgreSQL can keep."""
    kept = bytearray()
    try:
        while len(kept) < KEPT_ANSWER_BYTES:
            chunk = await answer.content.read(KEPT_ANSWER_BYTES - len(kept))
            if not chunk:
                break
            kept += chunk
    except (TimeoutError, aiohttp.ClientError):
        pass  # The status has been said, and that is what counts.
    return kept.decode("utf-8", "replace").replace("\0", "\ufffd")
