"""Routing to services, canonical paths and aliases; a path in no row of the route table does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yarl import URL

if TYPE_CHECKING:
    from gateway.tests.conftest import StartSystem, System

PREFIXES = {
    "auth": ["/auth/profile", "/users", "/users/3", "/system-settings", "/oauth/clients/1"],
    "catalog": ["/products", "/products/5", "/categories", "/suppliers/2", "/imports/9"],
    "stock": [
        "/stock-movements", "/stock-levels", "/warehouses", "/stock-transfers/1/ship", "/reservations", "/sales",
        "/customers/4/sales", "/purchase-orders", "/expenses", "/stock-counts", "/reorder-suggestions",
        "/reorder-rules", "/forecasts/1", "/reports/profit", "/dashboard/stats", "/stock/integrity",
    ],
    "notifications": [
        "/notifications", "/notification-preferences", "/webhooks/1/deliveries", "/events", "/audit-logs/verify",
    ],
}  # fmt: skip


ALIASES = [
    ("GET", "/api/products", "/api/v1/products"),
    ("GET", "/api/products/", "/api/v1/products"),
    ("GET", "/api/v1/products/5/", "/api/v1/products/5"),
    ("POST", "/api/v1/products/create/", "/api/v1/products"),
    ("PUT", "/api/v1/products/5/update/", "/api/v1/products/5"),
    ("DELETE", "/api/v1/products/5/delete/", "/api/v1/products/5"),
    ("POST", "/api/v1/sales/create", "/api/v1/sales"),
    ("GET", "/api/dashboard-stats/", "/api/v1/dashboard/stats"),
    ("POST", "/api/admin/register/", "/api/v1/auth/admin/register"),
    ("POST", "/api/admin/login", "/api/v1/auth/admin/login"),
    ("POST", "/api/salesperson/auth/", "/api/v1/auth/salesperson"),
    ("GET", "/api/v1/auth/access-tokens", "/api/v1/auth/invitations"),
    ("DELETE", "/api/auth/access-tokens/4", "/api/v1/auth/invitations/4"),
    ("GET", "/api/v1/stores", "/api/v1/warehouses"),
    ("GET", "/api/v1/stores/3", "/api/v1/warehouses/3"),
    ("GET", "/api/v1/products/by-sku/create", "/api/v1/products/by-sku/create"),
]

UNKNOWN = [
    "/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/products", "/api/v1/nothing", "/api/v1//products",
    "/products", "/internal/revocations", "/api/v1/internal/revocations", "/api/internal/token-exchange",
    "/internal/denials", "/api/internal/denials", "/api/v1/internal/last-used",
    "/metricsx", "/.well-known/other", "/api/v1/product", "/docs/assets/pages.py",
]  # fmt: skip

DOT_SEGMENTS = [
    "/api/v1/products/../../internal/token-exchange",
    "/api/v1/products/%2e%2e/%2e%2e/internal/token-exchange",
    "/api/v1/auth/./../internal/x",
    "/api/v1/auth/..",
    "/docs/assets/../../pages.py",
]


async def test_path_prefix_is_routed_to_its_service(system: System) -> None:
    for service, paths in PREFIXES.items():
        for path in paths:
            got = await system.get(f"/api/v1{path}")
            assert (got.status, got.json["service"], got.json["path"]) == (200, service, f"/api/v1{path}")


async def test_alias_reaches_the_resource_without_redirect(system: System) -> None:
    for method, asked, served in ALIASES:
        got = await system.call(method, asked)
        assert (got.status, got.json["method"], got.json["path"]) == (200, method, served), asked


async def test_unknown_path_is_404_with_any_credentials(system: System) -> None:
    for path in UNKNOWN:
        for headers in ({}, system.auth.bearer(), {"Authorization": "Bearer forged"}):
            got = await system.get(path, headers=headers)
            assert got.is_problem(404, "not_found"), path
    assert all(seen.path not in UNKNOWN for service in system.services.values() for seen in service.seen)


async def test_path_with_dot_segments_is_404(system: System) -> None:
    for path in DOT_SEGMENTS:
        url = URL(system.url + path, encoded=True)
        async with system.client.get(url, headers=system.auth.bearer()) as response:
            assert response.status == 404, path
    assert system.auth.seen == []


async def test_jwks_is_served_at_the_root(system: System) -> None:
    for path in ("/.well-known/jwks.json", "/.well-known/jwks.json/"):
        assert (await system.get(path, headers={})).json == {"keys": [system.auth.public_key]}


async def test_path_and_query_are_forwarded_unchanged(system: System) -> None:
    url = URL(f"{system.url}/api/v1/products/by-sku/A%2FB%20%C3%A9?search=a%20b&x=%26&x=", encoded=True)
    async with system.client.get(url, headers=system.auth.bearer()) as response:
        assert response.status == 200
    assert system.catalog.last.raw_path == "/api/v1/products/by-sku/A%2FB%20%C3%A9"
    assert system.catalog.last.path == "/api/v1/products/by-sku/A/B é"
    assert system.catalog.last.query == "search=a%20b&x=%26&x="


async def test_path_missing_in_openapi_document_is_404_without_credentials(
    mode: str, start_system: StartSystem
) -> None:
    def offer_products(system: System) -> None:
        system.catalog.document = {"paths": {"/api/v1/products/{product_id}": {"get": {}}}}

    system = await start_system(mode, offer_products)
    await system.get("/openapi.json")
    assert (await system.get("/api/v1/products/5", headers={})).is_problem(401, "unauthenticated")
    assert (await system.get("/api/v1/products/5/nothing", headers={})).is_problem(404, "not_found")
