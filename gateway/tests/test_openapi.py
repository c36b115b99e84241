"""One OpenAPI document for all services, and pages that display it without internet access."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.tests.conftest import StartSystem, System


def document(title: str, paths: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": title},
        "paths": paths,
        "components": {"schemas": schemas},
        "tags": [{"name": title.lower(), "description": title}],
    }


def operation(name: str, schema: str, **more: Any) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    content = {"application/json": {"schema": reference}}
    return {"operationId": name, "responses": {"200": {"description": "", "content": content}}, **more}


ERROR = {"type": "object", "properties": {"code": {"type": "string"}}}


def describe(system: System) -> None:
    system.auth.document = document(
        "Users",
        {
            "/api/v1/auth/login": {"post": operation("login", "Page", security=[{"other": []}])},
            "/api/v1/users": {"get": operation("list_all", "Page")},
            "/.well-known/jwks.json": {"get": operation("keys", "Problem")},
            "/internal/token-exchange": {"post": operation("exchange", "Problem")},
            "/health/live": {"get": operation("live", "Problem")},
        },
        {"Page": {"type": "object", "title": "of users"}, "Problem": ERROR},
    )
    system.catalog.document = document(
        "Products",
        {"/api/v1/products": {"get": operation("list_all", "Page", tags=["products"], **{"x-permission": "user"})}},
        {"Page": {"type": "object", "properties": {"items": {"$ref": "#/components/schemas/Item"}}},
         "Item": {"type": "object"}, "Problem": ERROR},
    )  # fmt: skip


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        here = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return here.union(*map(references, part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def find(document: dict[str, Any], reference: str) -> Any:
    part: Any = document
    for name in reference.removeprefix("#/").split("/"):
        part = part[name]
    return part


async def test_openapi_document_merges_all_services(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, describe)
    got = await system.get("/openapi.json", headers={})
    merged = got.json
    assert set(merged["paths"]) == {
        "/api/v1/auth/login", "/api/v1/users", "/api/v1/products", "/.well-known/jwks.json",
        "/health/live", "/health/ready",
        "/api/v1/system/status",
    }  # fmt: skip
    schemas = merged["components"]["schemas"]
    assert {"AuthPage", "CatalogPage", "Item", "Problem"} <= set(schemas)
    for reference in references(merged):
        assert find(merged, reference), reference
    listing = merged["paths"]["/api/v1/products"]["get"]
    assert references(listing["responses"]["200"]["content"]) == {"#/components/schemas/CatalogPage"}
    assert listing["x-permission"] == "user"
    assert listing["tags"] == ["products"]
    assert merged["paths"]["/api/v1/users"]["get"]["tags"] == ["auth"]


async def test_operation_ids_are_unique(start_system: StartSystem) -> None:
    system = await start_system("direct", describe)
    merged = (await system.get("/openapi.json")).json
    names = [item["operationId"] for methods in merged["paths"].values() for item in methods.values()]
    assert len(names) == len(set(names))


async def test_openapi_document_declares_security_schemes_and_public_operations(start_system: StartSystem) -> None:
    system = await start_system("direct", describe)
    merged = (await system.get("/openapi.json")).json
    schemes = merged["components"]["securitySchemes"]
    assert schemes["bearer"]["scheme"] == "bearer"
    assert (schemes["apiKey"]["in"], schemes["apiKey"]["name"]) == ("header", "X-API-Key")
    assert (schemes["session"]["in"], schemes["csrf"]["name"]) == ("cookie", "X-CSRF-Token")
    assert merged["paths"]["/api/v1/auth/login"]["post"]["security"] == []
    assert merged["paths"]["/.well-known/jwks.json"]["get"]["security"] == []
    assert merged["paths"]["/api/v1/products"]["get"]["security"] == [
        {"bearer": []}, {"oauth2": []}, {"app": []}, {"apiKey": []}, {"session": []},
    ]  # fmt: skip


async def test_operations_document_what_the_gateway_adds(start_system: StartSystem) -> None:
    system = await start_system("direct", describe)
    merged = (await system.get("/openapi.json")).json
    responses = merged["paths"]["/api/v1/products"]["get"]["responses"]
    assert {"400", "401", "403", "421", "429", "500", "503", "504"} <= set(responses)
    assert responses["429"] == {"$ref": "#/components/responses/RateLimited"}
    limited = merged["components"]["responses"]["RateLimited"]
    assert {"Retry-After", "RateLimit-Limit", "X-Request-ID"} <= set(limited["headers"])
    assert responses["504"] == {"$ref": "#/components/responses/ServiceTimeout"}
    assert "role" not in merged["paths"]["/.well-known/jwks.json"]["get"]["description"]
    assert set(merged["paths"]["/health/ready"]["get"]["responses"]) == {"200", "421", "429", "503"}
    assert merged["info"]["license"]["identifier"] == "MIT"
    assert merged["servers"] == [{"url": "/", "description": "This server."}]


async def test_unavailable_service_is_missing_only_until_first_fetch(start_system: StartSystem) -> None:
    system = await start_system("http", describe)
    await system.servers["catalog"].stop()
    assert "/api/v1/products" in (await system.get("/openapi.json")).json["paths"]
    other = await start_system("http", describe, catalog_url=system.servers["catalog"].url)
    assert set((await other.get("/openapi.json")).json["paths"]) >= {"/api/v1/users"}
    assert "/api/v1/products" not in (await other.get("/openapi.json")).json["paths"]
    await system.servers["catalog"].start()

    async def complete() -> bool:
        return "/api/v1/products" in (await other.get("/openapi.json")).json["paths"]

    await other.eventually(complete)


async def test_openapi_document_with_current_etag_is_not_modified(start_system: StartSystem) -> None:
    system = await start_system("direct", describe)
    got = await system.get("/openapi.json")
    again = await system.get("/openapi.json", headers={"If-None-Match": got.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


async def test_docs_pages_load_only_own_assets(system: System) -> None:
    for path in ("/docs", "/docs/", "/redoc", "/redoc/"):
        page = await system.get(path, headers={})
        assert page.status == 200
        html = page.body.decode()
        loaded = re.findall(r'(?:src|href)="([^"]+)"', html)
        assert loaded
        for url in loaded:
            assert url.startswith("/docs/assets/")
            asset = await system.get(url, headers={})
            assert (asset.status, len(asset.body) > 1000) == (200, True)
        assert "/openapi.json" in html
        policy = page.headers["Content-Security-Policy"]
        assert "http" not in policy
        assert policy.count("'sha256-") == len(re.findall(r"<script>", html))


async def test_own_endpoint_rejects_unsafe_methods(system: System) -> None:
    for path in ("/docs", "/openapi.json", "/health/live"):
        got = await system.call("POST", path)
        assert got.is_problem(405, "method_not_allowed")
        assert got.headers["Allow"] == "GET, HEAD, OPTIONS"
        assert (await system.call("HEAD", path)).status == 200
