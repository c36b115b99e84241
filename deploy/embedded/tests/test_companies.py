"""One installation for two companies: neither sees anything of the other, in one process or in several."""

import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest

from deploy.embedded.tests.embedded_runs import ADMIN, Run, running
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.chassis.runtime.settings import InvalidSettings, load_settings_of_companies
from stockbuddy.chassis.testing.clients import until_ready
from stockbuddy.embedded.settings import load_embedded_settings
from stockbuddy.local_servers.virtual_hosts import VirtualHosts
from tests.faults.deployment import first_of_free_ports

COMPANIES = ("acme", "beta")
PROCESSES = 5
STOCK_OFFSET = 3
"""Of its port from the gateway's, which is the first one."""
SECRET = "Zirconium"
"""In every text of acme, and in none of beta."""
STREAMS = {"/api/v1/stream", "/api/v1/ws"}


@dataclass
class Company:
    """The API of one company, called by its admin."""

    name: str
    http: httpx.AsyncClient
    token: str = ""
    product: Mapping[str, Any] = field(default_factory=dict)

    async def call(self, method: str, path: str, *, token: str | None = None, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token}", **options.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **options)

    async def send(self, path: str, body: Mapping[str, Any], **headers: str) -> Any:
        response = await self.call("POST", f"/api/v1{path}", json=body, headers=headers)
        assert response.is_success, response.text
        return response.json()


@dataclass
class TwoCompanies:
    run: Run
    acme: Company
    beta: Company
    stock_url: str
    """Of the process that serves stock."""


@pytest.fixture(params=["one process", "a process per service"])
async def system(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TwoCompanies]:
    monkeypatch.chdir(tmp_path)  # of images and e-mails
    async with contextlib.AsyncExitStack() as stack:
        options, settings = [], {"RATE_LIMIT_ADDRESS": "off"}  # the walk is fast
        if request.param == "a process per service":
            options = ["--processes"]
            settings |= {"PORT": str(first_of_free_ports(PROCESSES)), "BUS_URL": _virtual_hosts(request, stack)}
        started = running(tmp_path, *options, ready=2, COMPANIES=",".join(COMPANIES), **settings)
        run = await stack.enter_async_context(started)
        acme, beta = [await stack.enter_async_context(_opened(run, name)) for name in COMPANIES]
        port = urlsplit(str(run.http.base_url)).port or 0
        stock_port = port + STOCK_OFFSET if options else port
        yield TwoCompanies(run, acme, beta, f"http://127.0.0.1:{stock_port}")


def _virtual_hosts(request: pytest.FixtureRequest, stack: contextlib.ExitStack | contextlib.AsyncExitStack) -> str:
    """The broker's URL with `{company}` for the virtual host."""
    rabbitmq: VirtualHosts = request.getfixturevalue("rabbitmq")
    urls = [rabbitmq.create(name) for name in COMPANIES]
    for url in urls:
        stack.callback(rabbitmq.delete, url)
    return urlsplit(urls[0])._replace(path="/{company}").geturl()


@contextlib.asynccontextmanager
async def _opened(run: Run, name: str) -> AsyncIterator[Company]:
    port = urlsplit(str(run.http.base_url)).port
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers={"Host": f"{name}.localhost"}, timeout=60
    ) as http:
        await until_ready(http)
        company = Company(name, http)
        assert (await http.post("/api/v1/auth/admin/register", json=ADMIN)).status_code == 201
        login = await http.post("/api/v1/auth/login", json={key: ADMIN[key] for key in ("username", "password")})
        company.token = login.json()["access_token"]
        yield company


async def _trade(company: Company, text: str) -> None:
    """A product, stock, a customer and a sale; the same keys and codes in each company."""
    warehouse = await company.send("/warehouses", {"name": f"{text} hall", "code": "HALL"})
    body = {"sku": "MUG", "name": f"{text} mug", "unit_price": "7.50"}
    company.product = await company.send("/products", body, **{"Idempotency-Key": "one-key"})
    movement = {"product_id": company.product["id"], "warehouse_id": warehouse["id"], "movement_type": "in"}
    await company.send("/stock-movements", {**movement, "quantity": 5, "notes": f"{text} delivery"})
    customer = await company.send("/customers", {"name": f"{text} customer", "email": "same@example.com"})
    lines = [{"product_id": company.product["id"], "quantity": 2}]
    await company.send("/sales", {"warehouse_id": warehouse["id"], "customer_id": customer["id"], "lines": lines})


async def test_companies_do_not_share_accounts_codes_or_idempotency_keys(system: TwoCompanies) -> None:
    await _trade(system.acme, SECRET)
    await _trade(system.beta, "Ordinary")
    assert system.acme.product["name"] != system.beta.product["name"]
    for company in (system.acme, system.beta):
        found = (await company.call("GET", f"/api/v1/products/{company.product['id']}")).json()
        assert found["name"] == company.product["name"]


async def test_metrics_name_the_company(system: TwoCompanies) -> None:
    async with httpx.AsyncClient() as http:
        metrics = (await http.get(f"{system.stock_url}/metrics", headers={"Host": "acme.localhost"})).text
    for name in COMPANIES:
        assert f'stockbuddy_database_connections{{company="{name}",service="stock",state="max"}}' in metrics


async def test_no_route_shows_one_company_anything_of_the_other(system: TwoCompanies) -> None:
    acme, beta = system.acme, system.beta
    await _trade(acme, SECRET)
    await _trade(beta, "Ordinary")
    document = (await beta.http.get("/openapi.json")).json()
    is_found = False
    for path in _readable(document):
        assert SECRET not in (await beta.call("GET", path)).text, path
        foreign = await beta.call("GET", path, token=acme.token, headers={"X-Company": "acme"})
        assert SECRET not in foreign.text, path
        is_found = is_found or SECRET in (await acme.call("GET", path)).text
    assert is_found, "the walk finds what exists"
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in _paths(document, method.lower(), permission=True):
            response = await beta.call(method, path, token=acme.token, json={})
            assert response.json()["code"] == "unauthenticated", (method, path)
    found = (await acme.call("GET", f"/api/v1/products/{acme.product['id']}")).json()
    assert (found["name"], found["deleted_at"]) == (acme.product["name"], None)


def _readable(document: Mapping[str, Any]) -> list[str]:
    return [path for path in _paths(document, "get") if path not in STREAMS]


def _paths(document: Mapping[str, Any], method: str, *, permission: bool = False) -> list[str]:
    """With 1 for each parameter: the ids of both companies begin with it. `permission`: only those that need one."""
    return [
        re.sub(r"\{[^}]+\}", "1", path)
        for path, operations in document["paths"].items()
        if method in operations and (not permission or operations[method]["x-permission"] != "public")
    ]


async def test_unknown_host_is_refused(system: TwoCompanies) -> None:
    response = await system.acme.http.get("/api/v1/products", headers={"Host": "gamma.localhost"})
    assert (response.status_code, response.json()["code"]) == (421, "unknown_host")


@pytest.mark.parametrize(
    ("name", "value", "target"),
    [
        ("DATABASE_URL", "postgresql://127.0.0.1/stock", "database"),
        ("DATABASE_URL", "postgresql://{company}:{company}@127.0.0.1/stock", "database"),
        ("DATABASE_URL", "postgresql://127.0.0.1/stock?application_name={company}", "database"),
        ("DATABASE_READ_URL", "postgresql://{company}@standby/stock", "database"),
        ("BUS_URL", "amqp://{company}:guest@127.0.0.1", "virtual host"),
        ("BUS_URL", "amqp://guest:guest@127.0.0.1/one?name={company}", "virtual host"),
        ("PUBLIC_URL", "https://shop.example.com/{company}", "host name"),
        ("PUBLIC_URL", "https://{company}@shop.example.com", "host name"),
        ("IMAGE_STORE", "images/{company}/..", "place"),
    ],
)
def test_companies_that_share_what_must_be_separate_are_refused(
    name: str, value: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENV", "development")
    monkeypatch.setenv("COMPANIES", "acme,beta")
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings, match=f"{name}: acme and beta have the same {target}"):
        load_embedded_settings(with_processes=False)


def test_companies_with_databases_and_virtual_hosts_of_their_own_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENV", "development")
    monkeypatch.setenv("COMPANIES", "acme,beta")
    monkeypatch.setenv("DATABASE_URL", "postgresql://{company}@127.0.0.1")  # named after the user
    monkeypatch.setenv("BUS_URL", "amqp://guest:guest@127.0.0.1/{company}")
    load_embedded_settings(with_processes=False)


def test_identity_providers_are_those_of_the_company(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = {
        "name": "idp",
        "title": "Sign in",
        "issuer": "https://{company}.idp.example.com",
        "client_id": "stockbuddy-{company}",
        "client_secret": "secret",
        "roles": {"{company}-admins": "admin"},
    }
    monkeypatch.setenv("ENV", "development")
    monkeypatch.setenv("COMPANIES", "acme,beta")
    monkeypatch.setenv("OIDC_PROVIDERS", json.dumps([provider]))
    monkeypatch.setenv("DATABASE_URL", "postgresql:///{company}")
    monkeypatch.setenv("PUBLIC_URL", "https://{company}.example.com")
    for settings in load_settings_of_companies(AuthSettings, gateway_secret="g" * 40):
        [found] = settings.oidc_providers
        assert found.issuer == f"https://{settings.company}.idp.example.com"
        assert found.client_id == f"stockbuddy-{settings.company}"
        assert list(found.roles) == [f"{settings.company}-admins"]


@pytest.mark.parametrize("name", ["Acme", "a b", "-a", "a.b", "x" * 33])
def test_name_that_is_no_part_of_a_host_name_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENV", "development")
    monkeypatch.setenv("COMPANIES", f"acme,{name}")
    with pytest.raises(InvalidSettings, match="COMPANIES"):
        load_embedded_settings(with_processes=False)
