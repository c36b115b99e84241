"""Prometheus metrics of a service process; services in one process share the registry."""

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

from stockbuddy.chassis.runtime.metrics_of_processes import joined_registry

REQUESTS = Counter("stockbuddy_http_requests_total", "Completed requests.", ["service", "method", "route", "status"])
REQUEST_DURATION_SECONDS = Histogram(
    "stockbuddy_http_request_duration_seconds",
    "Time from receiving the request to the start of the response.",
    ["service", "method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
EVENTS_PUBLISHED = Counter("stockbuddy_events_published_total", "Events confirmed by the bus.", ["service", "type"])
EVENTS_CONSUMED = Counter(
    "stockbuddy_events_consumed_total", "Messages processed by a consumer group, by outcome.", ["group", "outcome"]
)
DATABASE_CONNECTIONS = Gauge(
    "stockbuddy_database_connections",
    "Connections of a replica to its database: used, idle, and as many as may be open (max).",
    ["company", "service", "state"],
)
POOLER_WAIT_SECONDS = Histogram(
    "stockbuddy_pooler_wait_seconds",
    "Time from the BEGIN of a transaction until PgBouncer, at the address `pooler`, has assigned a server session.",
    ["company", "service", "pooler"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
DATABASE_UP = Gauge("stockbuddy_database_up", "1 if the service's database answers, else 0.", ["company", "service"])
READ_REPLICA_UP = Gauge(
    "stockbuddy_read_replica_up",
    "1 if the service's read replica serves, 0 if the primary does.",
    ["company", "service"],
)
READ_REPLICA_READS = Counter(
    "stockbuddy_read_replica_reads_total",
    "Reads of services with a read replica: served by it (replica), or by the primary because the replica has not "
    "replayed the caller's write (behind, or crowded if enough others wait for it) or does not serve (unavailable).",
    ["company", "service", "outcome"],
)
OUTBOX_EVENTS = Gauge(
    "stockbuddy_outbox_events", "Committed events not yet confirmed by the broker.", ["company", "service"]
)
CACHE_REQUESTS = Counter(
    "stockbuddy_response_cache_requests_total",
    "Requests of cached routes: answered from the cache (hit), by the same read as a concurrent request (shared), or "
    "by a read of their own, because there was no response (absent), the data has changed since (outdated), the cache "
    "or the database did not answer (unavailable), or what it had was no response (invalid).",
    ["company", "service", "outcome"],
)
OUTBOX_EVENTS_DEAD = Gauge(
    "stockbuddy_outbox_events_dead",
    "Events that the broker refuses for good, waiting for an operator.",
    ["company", "service"],
)
OUTBOX_OLDEST_SECONDS = Gauge(
    "stockbuddy_outbox_oldest_seconds", "Age in seconds of the oldest unpublished event.", ["company", "service"]
)
INBOX_MESSAGES = Gauge(
    "stockbuddy_inbox_messages",
    "Messages waiting for a retry (retry, parked) and dead-lettered ones (dead).",
    ["company", "group", "state"],
)


async def metrics_page(request: Request) -> Response:
    """The metrics of this process and those joined with it, in the format that the request accepts; only OpenMetrics
    has exemplars."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(await joined_registry()), media_type=content_type)
