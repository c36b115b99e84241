"""What a CDN may keep, and the addresses of pages and pictures with `CDN_URL`."""

import json
import re
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from stockbuddy.chassis.runtime.settings import InvalidSettings, load_settings, load_settings_of_companies
from stockbuddy.gateway.settings import GatewaySettings

from .conftest import StartSystem, System, build_console

BROWSER = {"Accept": "text/html"}
CDN = "https://cdn.example.net/pull"
IMMUTABLE = "public, max-age=31536000, immutable"
OTHER_PAGE = {"Origin": "https://other.example"}
PAGE = """<!doctype html><meta name="path-prefix" content="__PATH_PREFIX__">
<script type="module" crossorigin src="./console/app-1a2b.js"></script>"""
PICTURE = "/api/v1/products/5/image"
SIGNED = f"{PICTURE}?v=1a2b&expires=99&signature=s"


@pytest.fixture
def console(tmp_path: Path) -> Path:
    files = ("app-1a2b.js", "app-1a2b.css", "icon-1a2b.svg", "reader-1a2b.wasm")
    return build_console(tmp_path, PAGE, dict.fromkeys(files, b"content"))


def responding(body: bytes, content_type: bytes, cache_control: bytes | None = None) -> ASGIApp:
    async def handler(_: Scope, __: Receive, send: Send) -> None:
        headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
        if cache_control is not None:
            headers.append((b"cache-control", cache_control))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return handler


def accept_cookies(system: System) -> None:
    """Each session is renewed by its first request."""
    system.auth.csrf_token, system.auth.cookie_max_age = "abc", 3600
    for name in ("first", "second"):
        system.auth.credentials["session_cookie", name] = f"browser-{name}"


@pytest.mark.parametrize("origins", ["", "https://shop.example", "*"])
async def test_files_of_the_console_are_for_every_cache_and_origin(
    mode: str, start_system: StartSystem, console: Path, origins: str
) -> None:
    system = await start_system(mode, console_directory=console, cors_origins=origins)
    for name in ("app-1a2b.js", "app-1a2b.css", "icon-1a2b.svg", "reader-1a2b.wasm"):
        for headers in ({}, OTHER_PAGE, {"Origin": "https://shop.example", "Cookie": "session=ours"}):
            file = await system.get(f"/console/{name}", headers=headers)
            assert (file.status, file.headers.getall("Cache-Control")) == (200, [IMMUTABLE])
            assert file.headers.getall("Access-Control-Allow-Origin") == ["*"]
            assert "Access-Control-Allow-Credentials" not in file.headers
            assert file.headers.getall("Cross-Origin-Resource-Policy") == ["cross-origin"]
            assert file.headers.getall("Vary") == ["Accept-Encoding"]
            assert "Set-Cookie" not in file.headers


async def test_pages_and_answers_are_for_no_shared_cache(mode: str, start_system: StartSystem, console: Path) -> None:
    system = await start_system(mode, console_directory=console, cdn_url=CDN)
    paths = ("/", "/sales", "/service-worker.js", "/console/none.js", "/openapi.json", "/health/ready", "/docs")
    for path in (*paths, "/api/v1/products", "/api/v1/sales", PICTURE, "/api/v1/none"):
        for headers in (BROWSER, {**BROWSER, **system.auth.bearer()}):
            got = await system.get(path, headers=headers)
            assert re.fullmatch("no-store|(private, )?no-cache", got.headers["Cache-Control"]), path
            assert "Access-Control-Allow-Origin" not in got.headers


async def test_shared_picture_has_nothing_of_its_first_caller(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, accept_cookies)
    responses = (("first", b"public, max-age=60, immutable", True), ("second", b"private, no-cache", False))
    for session, cache_control, is_shared in responses:
        system.catalog.handlers[PICTURE] = responding(b"picture", b"image/png", cache_control)
        got = await system.get(SIGNED, headers={"Cookie": f"session={session}; csrf_token=abc"})
        assert (got.status, got.headers.getall("Cache-Control")) == (200, [cache_control.decode()])
        assert ("Set-Cookie" not in got.headers) == is_shared
        assert ("RateLimit-Remaining" not in got.headers) == is_shared
        assert (got.headers["Cross-Origin-Resource-Policy"] == "cross-origin") == is_shared


@pytest.mark.parametrize("prefix", ["", "/shop"])
async def test_page_and_service_worker_load_files_from_the_cdn(
    mode: str, start_system: StartSystem, console: Path, prefix: str
) -> None:
    system = await start_system(mode, console_directory=console, cdn_url=CDN + "/", root_path=prefix)
    page = await system.get(f"{prefix}/sales", headers=BROWSER)
    text, policy = page.body.decode(), page.headers["Content-Security-Policy"]
    assert f'src="{CDN}{prefix}/console/app-1a2b.js"' in text
    assert f'content="{prefix}"' in text, "the API and the service worker stay here"
    assert f"script-src 'self' {CDN}{prefix}/console/ 'wasm-unsafe-eval';" in policy
    assert f"style-src 'self' {CDN}{prefix}/console/ 'nonce-" in policy
    assert f"connect-src 'self' {CDN}{prefix}/console/;" in policy
    assert f"img-src 'self' {CDN}{prefix}/ data: blob:;" in policy
    worker = await system.get(f"{prefix}/service-worker.js", headers={})
    assert worker.body.decode() == f'const FOLDER = "{CDN}{prefix}/console/";'
    assert worker.headers["Content-Security-Policy"] == (
        f"default-src 'none'; connect-src 'self' {CDN}{prefix}/console/"
    )


@pytest.mark.parametrize("prefix", ["", "/shop"])
async def test_links_to_signed_pictures_point_at_the_cdn(mode: str, start_system: StartSystem, prefix: str) -> None:
    others = {
        "name": f'"image_url": "{SIGNED}"',
        "file_url": "https://shop.example/api/v1/products/5/image?v=1&signature=s",
        "none_url": None,
    }
    product = {
        **others,
        "image_url": SIGNED,
        "thumbnails": {"medium": f"{SIGNED}&size=medium"},
        "result_url": "/api/v1/jobs/catalog/1/result",
        "unsigned_url": PICTURE,
    }
    expected = {
        **others,
        "image_url": f"{CDN}{prefix}{SIGNED}",
        "thumbnails": {"medium": f"{CDN}{prefix}{SIGNED}&size=medium"},
        "result_url": f"{prefix}/api/v1/jobs/catalog/1/result",
        "unsigned_url": f"{prefix}{PICTURE}",
    }
    system = await start_system(mode, cdn_url=CDN, root_path=prefix)
    for separators in ((",", ":"), (", ", ": ")):
        body = json.dumps(product, separators=separators).encode()
        system.catalog.handlers["/api/v1/products/5"] = responding(body, b"application/json")
        assert (await system.get(f"{prefix}/api/v1/products/5")).json == expected
    system.catalog.handlers[PICTURE] = responding(b'{"image_url":"' + SIGNED.encode() + b'"}', b"image/png")
    assert b"cdn.example" not in (await system.get(f"{prefix}{PICTURE}")).body


def test_address_of_the_cdn_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("cdn.example.net", "https://cdn.example.net/?a=1", 'https://cdn"; script-src *', "ftp://cdn.example"):
        monkeypatch.setenv("CDN_URL", wrong)
        with pytest.raises(InvalidSettings, match="not the address of a CDN"):
            load_settings(GatewaySettings, env="development")
    monkeypatch.setenv("CDN_URL", "http://cdn.example.net")
    with pytest.raises(InvalidSettings, match="CDN_URL is not HTTPS"):
        load_settings(GatewaySettings, env="production")


def test_each_company_has_its_own_address_at_the_cdn(monkeypatch: pytest.MonkeyPatch) -> None:
    database, bus = "postgresql://db/stock_{company}", "amqp://rabbitmq/{company}"
    shared = {
        "DATABASE_URL": database,
        "BUS_URL": bus,
        "COMPANIES": "acme,beta",
        "PUBLIC_URL": "https://{company}.example.com",
        "ENV": "development",
    }
    for name, value in shared.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CDN_URL", "https://{company}.cdn.example.net")
    addresses = [one.cdn_url for one in load_settings_of_companies(GatewaySettings)]
    assert addresses == ["https://acme.cdn.example.net", "https://beta.cdn.example.net"]
    monkeypatch.setenv("CDN_URL", "https://cdn.example.net/{company}")
    assert load_settings_of_companies(GatewaySettings)[1].cdn_url == "https://cdn.example.net/beta"
    monkeypatch.setenv("CDN_URL", "https://cdn.example.net")
    with pytest.raises(InvalidSettings, match="CDN_URL: acme and beta have the same address"):
        load_settings_of_companies(GatewaySettings)
