"""The console at `/`: its page with a nonce, its files, the progress of its build, and what remains the API's."""

import gzip
import re
from pathlib import Path

import pytest

from .conftest import StartSystem, build_console

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGE = """<!doctype html><html><head><meta name="csp-nonce" content="__CSP_NONCE__">
<meta name="path-prefix" content="__PATH_PREFIX__"><link href="./console/app-1a2b.css"></head></html>"""
BROTLI = b"\x0b\x02\x80hello\x03"
"""`hello`, compressed."""
SCRIPT = b"console.log('hello')" * 100


@pytest.fixture
def console(tmp_path: Path) -> Path:
    compressed = {"app-1a2b.js.gz": gzip.compress(SCRIPT), "app-1a2b.js.br": BROTLI}
    return build_console(tmp_path, PAGE, {"app-1a2b.js": SCRIPT, **compressed})


async def test_page_has_a_new_nonce_each_time_and_strict_policy(
    mode: str, start_system: StartSystem, console: Path
) -> None:
    system = await start_system(mode, console_directory=console, root_path="/shop")
    nonces = set()
    for path in ("/", "/products", "/products/17/edit", "/shop/sales"):
        page = await system.get(path, headers=BROWSER)
        assert (page.status, page.headers["Cache-Control"]) == (200, "no-store")
        (nonce,) = re.findall('csp-nonce" content="([^"]+)"', page.body.decode())
        policy = page.headers["Content-Security-Policy"]
        assert f"style-src 'self' 'nonce-{nonce}'" in policy
        assert "script-src 'self' 'wasm-unsafe-eval';" in policy
        assert 'content="/shop"' in page.body.decode()
        assert 'href="/shop/console/app-1a2b.css"' in page.body.decode()
        nonces.add(nonce)
    assert len(nonces) == 4


async def test_files_are_immutable_and_compressed_as_accepted(
    mode: str, start_system: StartSystem, console: Path
) -> None:
    system = await start_system(mode, console_directory=console)
    for accepted, encoding, body in (
        ("gzip, br, zstd", "br", b"hello"),
        ("gzip, br;q=0", "gzip", SCRIPT),
        ("identity", None, SCRIPT),
    ):
        file = await system.get("/console/app-1a2b.js", headers={"Accept-Encoding": accepted})
        assert (file.status, file.headers.get("Content-Encoding")) == (200, encoding)
        assert file.body == body, "aiohttp has decompressed it"
        assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert file.headers["Content-Type"].startswith("text/javascript")
    for path in (
        "/console/app-0000.js",
        "/console/../index.html",
        "/console/%2e%2e/index.html",
        "/console/app-1a2b.js.gz",
    ):
        assert (await system.get(path, headers={})).is_problem(404, "not_found")


async def test_service_worker_is_asked_for_at_each_visit_and_may_only_load_from_here(
    mode: str, start_system: StartSystem, console: Path
) -> None:
    system = await start_system(mode, console_directory=console, root_path="/shop")
    for path in ("/service-worker.js", "/shop/service-worker.js"):
        worker = await system.get(path, headers={"Accept": "*/*"})
        assert (worker.status, worker.body) == (200, b'const FOLDER = "console/";')
        assert worker.headers["Cache-Control"] == "no-cache"
        assert worker.headers["Content-Type"].startswith("text/javascript")
        assert worker.headers["Content-Security-Policy"] == "default-src 'none'; connect-src 'self'"
    (console / "site" / "service-worker.js").unlink()
    assert (await system.get("/service-worker.js", headers={})).is_problem(404, "not_found")


async def test_console_does_not_count_against_the_limit_of_the_address(
    mode: str, start_system: StartSystem, console: Path
) -> None:
    system = await start_system(mode, console_directory=console, rate_limit_address="2/minute")
    for _ in range(5):
        assert (await system.get("/", headers=BROWSER)).status == 200
        assert (await system.get("/sales", headers=BROWSER)).status == 200
        assert (await system.get("/console/app-1a2b.js", headers={})).status == 200
    assert (await system.get("/docs", headers=BROWSER)).status == 200


async def test_paths_of_the_api_and_clients_without_html_get_no_console(
    mode: str, start_system: StartSystem, console: Path
) -> None:
    system = await start_system(mode, console_directory=console)
    assert (await system.get("/", headers={"Accept": "application/json"})).json["name"] == "Stockbuddy"
    assert (await system.get("/sales", headers={"Accept": "*/*"})).is_problem(404, "not_found")
    assert (await system.call("POST", "/sales", headers=BROWSER)).status in (401, 404)
    for path in ("/api/nothing", "/metrics/nothing", "/guide", "/.well-known/nothing"):
        assert "csp-nonce" not in (await system.get(path, headers=BROWSER)).body.decode()
    assert "swagger" in (await system.get("/docs", headers=BROWSER)).body.decode()


async def test_progress_of_the_build_is_shown_until_the_console_is_built(
    mode: str, start_system: StartSystem, tmp_path: Path
) -> None:
    system = await start_system(mode, console_directory=tmp_path)
    progress = tmp_path / "progress.json"
    progress.write_text('{"state": "building", "step": "installing <packages>"}')
    page = await system.get("/", headers=BROWSER)
    assert "being built: installing &lt;packages&gt;" in page.body.decode()
    assert '<meta http-equiv="refresh"' in page.body.decode()
    assert (await system.get("/sales", headers=BROWSER)).is_problem(404, "not_found")
    progress.write_text('{"state": "failed", "reason": "the npm registry cannot be reached."}')
    page = await system.get("/", headers=BROWSER)
    assert "could not be built: the npm registry cannot be reached." in page.body.decode()
    assert "refresh" not in page.body.decode()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text(PAGE)
    assert "csp-nonce" in (await system.get("/", headers=BROWSER)).body.decode()
