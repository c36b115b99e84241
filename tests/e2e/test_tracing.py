"""With an OTLP endpoint one trace leads from the till's request through gateway, services, database, outbox and
RabbitMQ to the webhook and the e-mail that the sale causes; without one nothing of the SDK is loaded."""

import asyncio
import contextlib
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import asyncpg
import httpx2 as httpx
import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP

from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.testing.clients import User, register, serving, until_ready
from stockbuddy.chassis.testing.otlp_collector import Collector, ReceivedSpan, running_collector
from stockbuddy.embedded.service_registry import SERVICES
from stockbuddy.embedded.system import System
from stockbuddy.gateway.app import create_gateway
from stockbuddy.gateway.settings import GatewaySettings

TRACE = "0af7651916cd43dd8448eb211c80319c"
TILL_SPAN = "b7ad6b7169203331"
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
HAS_ADDRESS = "SELECT EXISTS (SELECT unnest(alert_emails) FROM notifications.company_replica)"
ONLY_IF_ON = ["opentelemetry.sdk", "opentelemetry.exporter", "google.protobuf", "requests"]


@dataclass
class Receivers:
    """A webhook receiver and an SMTP server; `headers`: of the webhook's requests."""

    webhook_url: str
    smtp_url: str
    headers: list[dict[str, str]]


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    async with running_collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        yield collector


@pytest.fixture
async def receivers() -> AsyncIterator[Receivers]:
    headers: list[dict[str, str]] = []

    async def accept(request: web.Request) -> web.Response:
        headers.append(dict(request.headers))
        return web.Response()

    class Mailbox:
        async def handle_DATA(self, *_: object) -> str:  # noqa: N802 - aiosmtpd's name
            return "250 accepted"

    app = web.Application()
    app.router.add_post("/{path:.*}", accept)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Mailbox()), "127.0.0.1", 0)
    smtp_port = server.sockets[0].getsockname()[1]
    yield Receivers(f"http://127.0.0.1:{runner.addresses[0][1]}/in", f"smtp://127.0.0.1:{smtp_port}", headers)
    server.close()
    await runner.cleanup()


@contextlib.asynccontextmanager
async def distributed_system(database_url: str, bus_url: str, receivers: Receivers) -> AsyncIterator[httpx.AsyncClient]:
    """Services and gateway that reach each other over HTTP and RabbitMQ only; yields a client of the gateway."""
    shared = {"env": "development", "database_url": database_url, "bus_url": bus_url}
    own = {"notifications": {"smtp_url": receivers.smtp_url, "webhook_allow_private": True}}
    urls: dict[str, str] = {}
    async with contextlib.AsyncExitStack() as stack:
        for embedded in SERVICES:
            jwks = {"jwks_url": f"{urls['auth']}/.well-known/jwks.json"} if urls else {}
            settings = embedded.settings.model_validate(shared | own.get(embedded.name, {}) | jwks)
            urls[embedded.name] = await stack.enter_async_context(serving(create_app(embedded.service, settings)))
        upstreams = {f"{name}_url": url for name, url in urls.items()}
        gateway = create_gateway(GatewaySettings.model_validate({"env": "development", **upstreams}))
        address = await stack.enter_async_context(serving(gateway))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=address, timeout=180))
        await until_ready(client)
        yield client


async def until_notifications_know_the_address(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(60):
            while not await connection.fetchval(HAS_ADDRESS):
                await asyncio.sleep(0.02)
    finally:
        await connection.close()


async def sell_the_last(admin: User, webhook_url: str, database_url: str) -> None:
    """A sale, sent by a till with an API key within TRACE, that leaves little stock."""
    await admin.call("PUT", "/system-settings", json={"alert_emails": ["owner@shop.example"]})
    await until_notifications_know_the_address(database_url)
    await admin.post("/webhooks", {"url": webhook_url, "event_types": ["stock.sale.*"]}, key="webhook")
    product = {"name": "Teapot", "sku": "T1", "unit_price": "20", "quantity": 6, "low_stock_threshold": 5}
    created = await admin.post("/products", product, key="product")
    await admin.until("/stock-levels", lambda page: page["total"] == 1, product_id=created["id"])
    key = await admin.post("/auth/api-keys", {"name": "till 1"}, key="key")
    headers = {"X-API-Key": key["key"], "traceparent": f"00-{TRACE}-{TILL_SPAN}-01"}
    response = await admin.http.post("/api/v1/sales", json={"product": "T1", "quantity": 3}, headers=headers)
    assert response.status_code == 201, response.text


def of_trace(spans: Sequence[ReceivedSpan]) -> list[ReceivedSpan]:
    return [span for span in spans if span.trace == TRACE]


def has(*names: str) -> Callable[..., bool]:
    return lambda spans: set(names) <= {str(span) for span in of_trace(spans)}


def only(spans: list[ReceivedSpan], name: str) -> ReceivedSpan:
    [found] = [span for span in spans if str(span) == name]
    return found


async def test_one_trace_leads_from_the_till_to_webhook_and_email(
    database_url: str, bus_url: str, collector: Collector, receivers: Receivers
) -> None:
    async with distributed_system(database_url, bus_url, receivers) as http:
        admin = await register(http, "ada", path="/auth/admin/register")
        await sell_the_last(admin, receivers.webhook_url, database_url)
        names = ("gateway: POST /sales", "stock: publish events", "stock: COMMIT", "catalog: process catalog.stock.v1")
        spans = of_trace(
            await collector.until(has(*names, "notifications: deliver webhook", "notifications: send e-mail"))
        )
        page = await http.get("/metrics", headers=OPENMETRICS)

    gateway, stock = only(spans, "gateway: POST /sales"), only(spans, "stock: POST /api/v1/sales")
    assert (gateway.parent, gateway.kind) == (TILL_SPAN, "SERVER")
    assert gateway.attributes["http.response.status_code"] == 201
    assert (stock.parent, stock.kind) == (gateway.id, "SERVER")
    assert stock.attributes["http.route"] == "/api/v1/sales"

    [exchange] = [span for span in spans if span.service == "auth" and span.kind == "SERVER"]
    assert exchange.parent == gateway.id, "the API key is exchanged for a token"

    commit = only(spans, "stock: commit group")
    assert commit.parent == stock.id
    statements = {span.name for span in spans if span.parent == commit.id}
    assert {"BEGIN", "COMMIT"} <= statements
    for name, kind in {
        "stock: publish events": "PRODUCER",
        "catalog: process catalog.stock.v1": "CONSUMER",
        "notifications: process notifications.log.v1": "CONSUMER",
        "notifications: process notifications.alerts.v1": "CONSUMER",
        "notifications: deliver webhook": "CLIENT",
        "notifications: send e-mail": "CLIENT",
    }.items():
        found = [span for span in spans if str(span) == name]
        assert found, name
        assert {(span.parent, span.kind) for span in found} == {(stock.id, kind)}, name
    alerts = {span.id for span in spans if span.name == "process notifications.alerts.v1"}
    assert [span for span in spans if span.parent in alerts and "queued_email" in span.attributes["db.query.text"]]

    delivery = only(spans, "notifications: deliver webhook")
    assert receivers.headers[-1]["traceparent"] == f"00-{TRACE}-{delivery.id}-01"
    exemplars = re.findall(r'route="(?:/api/v1)?/sales".* # {.*trace_id="(\w+)"', page.text)
    assert set(exemplars) == {TRACE}


async def test_trace_of_a_system_in_one_process_names_each_service(
    database_url: str, collector: Collector, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_URL", receivers.smtp_url)
    monkeypatch.setenv("WEBHOOK_ALLOW_PRIVATE", "true")
    system = System(database_url, env="development")
    async with system.running(), serving(system.gateway) as url, httpx.AsyncClient(base_url=url, timeout=180) as http:
        await until_ready(http)
        admin = await register(http, "ada", path="/auth/admin/register")
        await sell_the_last(admin, receivers.webhook_url, database_url)
        spans = of_trace(
            await collector.until(
                has("notifications: deliver webhook", "notifications: send e-mail", "catalog: process catalog.stock.v1")
            )
        )
    stock = only(spans, "stock: POST /api/v1/sales")
    assert stock.parent == only(spans, "gateway: POST /sales").id
    assert only(spans, "stock: commit group").parent == stock.id
    assert only(spans, "notifications: deliver webhook").parent == stock.id


async def test_spans_contain_no_personal_data(
    database_url: str, bus_url: str, collector: Collector, receivers: Receivers
) -> None:
    async with distributed_system(database_url, bus_url, receivers) as http:
        admin = await register(http, "ada", path="/auth/admin/register")
        customer = {"name": "Grace Hopper", "email": "grace@example.com"}
        await admin.post("/customers", customer, key="customer")
        await admin.get("/customers", search="grace@example.com")
        await sell_the_last(admin, receivers.webhook_url, database_url)
        await collector.until(has("notifications: deliver webhook", "notifications: send e-mail"))
    everything = str(collector.spans)
    assert "GET /customers" in everything
    for personal in ("Grace", "grace@", "ada@example.com", "owner@shop.example", "client.address", "Bearer"):
        assert personal not in everything


async def test_trace_that_is_not_sampled_is_not_exported(
    database_url: str, bus_url: str, collector: Collector, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The till decides about its traces, the gateway's sampler about the others."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    async with distributed_system(database_url, bus_url, receivers) as http:
        admin = await register(http, "ada", path="/auth/admin/register")
        await sell_the_last(admin, receivers.webhook_url, database_url)
        await collector.until(has("notifications: deliver webhook", "notifications: send e-mail"))
        assert receivers.headers
    assert {span.trace for span in collector.spans} == {TRACE}


def test_without_an_endpoint_nothing_of_the_sdk_is_loaded() -> None:
    code = (
        "import sys\n"
        "from stockbuddy.embedded.system import System\n"
        "System('postgresql://127.0.0.1/none', env='development')\n"
        f"print([name for name in sys.modules if name.startswith({tuple(ONLY_IF_ON)!r})])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
