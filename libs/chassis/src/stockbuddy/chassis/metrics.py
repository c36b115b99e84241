"""What is counted and measured, for Prometheus. One registry per process, whatever runs in it."""

from prometheus_client import Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response

REQUESTS = Counter("stockbuddy_http_requests_total", "Requests answered.", ["service", "method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "stockbuddy_http_request_seconds",
    "Time from the request to the start of its answer.",
    ["service", "method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
EVENTS_PUBLISHED = Counter("stockbuddy_events_published_total", "Events the bus has taken.", ["service"])
EVENTS_CONSUMED = Counter(
    "stockbuddy_events_consumed_total", "Messages committed by a consumer group.", ["group", "outcome"]
)
DATABASE_UP = Gauge("stockbuddy_database_up", "1 while the service's database answers.", ["service"])
OUTBOX_EVENTS = Gauge("stockbuddy_outbox_events", "Events committed and not yet taken by the bus.", ["service"])
OUTBOX_OLDEST_SECONDS = Gauge(
    "stockbuddy_outbox_oldest_seconds", "For how long the oldest of them has waited.", ["service"]
)
INBOX_MESSAGES = Gauge(
    "stockbuddy_inbox_messages", "Messages to be tried again (retry, parked) or given up (dead).", ["group", "state"]
)


async def metrics_page() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
