"""The gateway behind the proxies that Debian packages: nginx, HAProxy (with an HTTP/2 front), Apache httpd and Caddy.

Their configurations are those of docs/how-to/run-behind-a-proxy.md; all clients share a proxy's connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from stockbuddy.local_servers.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.types import Receive, Scope, Send

    from gateway.tests.conftest import StartSystem, System

pytestmark = pytest.mark.slow

DOCUMENT = Path(__file__).parents[2] / "docs/how-to/run-behind-a-proxy.md"
NGINX = """
user root; daemon off; pid {directory}/nginx.pid; error_log stderr; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  {documented[0]}
  server {{
    listen 127.0.0.1:{port};
    proxy_request_buffering {buffering};
    {documented[1]}
  }}
}}
"""
HAPROXY = """
global
  maxconn 256
defaults
  mode http
  timeout connect 2s
  timeout client 20s
  timeout server 20s
  http-reuse always
frontend plain
  bind 127.0.0.1:{port}
  bind 127.0.0.1:{http2} proto h2
  default_backend gateway
  {documented[0]}
backend gateway
  server gateway 127.0.0.1:{gateway}
"""
APACHE = """
ServerRoot {directory}
ServerName localhost
PidFile {directory}/apache.pid
DefaultRuntimeDir {directory}
ErrorLog {directory}/error.log
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
{documented[0]}
"""
CADDY = """
{{
  admin off
  auto_https off
}}
http://127.0.0.1:{port} {{
  {documented[0]}
}}
"""
APACHE_MODULES = "/usr/lib/apache2/modules"
PROXIES = ("nginx", "nginx-unbuffered", "haproxy", "apache", "caddy")
UPGRADES = (
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
    b"Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n",
)


@dataclass
class Proxy:
    name: str
    port: int
    http2: int
    system: System

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def get(self, path: str) -> aiohttp.ClientResponse:
        """A request of another client, as a manager."""
        async with self.system.client.get(
            self.url + path, headers=self.system.auth.bearer(), timeout=aiohttp.ClientTimeout(10)
        ) as response:
            await response.read()
            return response

    async def send(self, *packets: bytes) -> bytes:
        """What the proxy responds within half a second."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        received = b""
        with contextlib.suppress(ConnectionError):
            for packet in packets:
                writer.write(packet)
                await writer.drain()
                await asyncio.sleep(0.02)  # the proxy must read the packets one by one
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    while data := await reader.read(65536):
                        received += data
        writer.close()
        return received


def documented(kind: str, port: int) -> list[str]:
    """The configuration in the document, with the gateway's address."""
    blocks = re.findall(rf"```{kind}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return [block.replace("gateway:8000", f"127.0.0.1:{port}") for block in blocks]


def command(name: str, directory: Path, ports: dict[str, int]) -> Sequence[str]:
    templates = {"nginx": NGINX, "haproxy": HAPROXY, "apache": APACHE, "caddy": CADDY}
    kind, _, variant = name.partition("-")
    buffering = "off" if variant else "on"
    text = templates[kind].format(
        directory=directory,
        modules=APACHE_MODULES,
        buffering=buffering,
        documented=documented(kind, ports["gateway"]),
        **ports,
    )
    file = directory / kind
    file.write_text(text)
    return {
        "nginx": ("nginx", "-p", str(directory), "-c", str(file)),
        "haproxy": ("haproxy", "-db", "-f", str(file)),
        "apache": ("apache2", "-X", "-f", str(file)),
        "caddy": ("caddy", "run", "--adapter", "caddyfile", "--config", str(file)),
    }[kind]


@pytest.fixture(params=PROXIES)
async def proxy(request: pytest.FixtureRequest, start_system: StartSystem, tmp_path: Path) -> AsyncIterator[Proxy]:
    path = os.environ["PATH"] + ":/usr/sbin"
    system = await start_system("http", trusted_proxies="127.0.0.0/8", rate_limit_address="off", rate_limit_login="off")
    assert system.gateway is not None
    ports = {"port": free_port(), "http2": free_port(), "gateway": system.gateway.port}
    program, *arguments = command(request.param, tmp_path, ports)
    found = shutil.which(program, path=path)
    assert found, f"{program} is not installed: deploy/install-servers faults"
    environment = {**os.environ, "PATH": path, "HOME": str(tmp_path)}
    with (tmp_path / "log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            found, *arguments, stdout=output, stderr=output, env=environment, cwd=tmp_path
        )
    proxy = Proxy(request.param, ports["port"], ports["http2"], system)

    async def is_ready() -> bool:
        assert process.returncode is None, (tmp_path / "log").read_text()
        with contextlib.suppress(aiohttp.ClientConnectionError):
            return (await proxy.get("/health/live")).status == 200
        return False

    try:
        await system.eventually(is_ready)
        yield proxy
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def respond_slowly(_: Scope, receive: Receive, send: Send) -> None:
    """Like a login, which hashes a password: the response comes after the whole request has been sent."""
    await receive()
    await asyncio.sleep(0.2)
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def test_smuggled_request_never_runs(proxy: Proxy) -> None:
    """The body is the start of a request, which the next client's request would complete. A large body leaves a proxy
    apart from the head."""
    system = proxy.system
    system.auth.handlers["/api/v1/auth/login"] = respond_slowly
    attacks = [
        (upgrade, path, b"GET /api/v1/products/666 HTTP/1.1\r\nHost: x\r\nX-Pad: %b\r\nX-Rest: " % (b"p" * padding))
        for upgrade in UPGRADES
        for path in (b"auth/login", b"products")
        for padding in (1, 20_000)
    ]
    for upgrade, path, smuggled in attacks:
        head = b"POST /api/v1/%b HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n" % path
        attack = proxy.send(head + upgrade + b"Content-Length: %d\r\n\r\n" % len(smuggled), smuggled)
        sent = asyncio.create_task(attack)
        for number in range(20):
            victim = await proxy.get(f"/api/v1/products/{number}")
            assert victim.status == 200, (upgrade, path)
            assert f"/products/{number}" in await victim.text()
            await asyncio.sleep(0.02)
        await sent
    assert not [seen.path for seen in system.catalog.seen if "666" in seen.path]


async def test_early_refusals_do_not_delay_other_clients(proxy: Proxy) -> None:
    refused: list[tuple[str, bytes, dict[str, str]]] = [
        ("/api/v1/products", b"x" * 100_000, {}),
        ("/api/v1/nothing", b"x" * 5_000_000, {}),
        ("/api/v1/auth/login", b"x" * 2_000_000, {}),
        ("/api/v1/products", b"x" * 100_000, {"Expect": "100-continue"}),
    ]

    async def upload(path: str, body: bytes, headers: dict[str, str]) -> int:
        try:
            async with proxy.system.client.post(
                proxy.url + path, data=io.BytesIO(body), headers=headers, timeout=aiohttp.ClientTimeout(10)
            ) as response:
                return response.status
        except aiohttp.ClientConnectionError:
            return 0

    for _ in range(5):
        uploads = [asyncio.create_task(upload(*request)) for request in refused]
        others = await asyncio.gather(*(proxy.get(f"/api/v1/products/{number}") for number in range(10)))
        assert [response.status for response in others] == [200] * 10
        statuses = await asyncio.gather(*uploads)
        assert set(statuses) <= {401, 404, 413}, statuses


async def test_http2_clients_behind_haproxy_are_not_delayed_by_refusals(proxy: Proxy) -> None:
    if proxy.name != "haproxy":
        return
    url = f"http://127.0.0.1:{proxy.http2}/api/v1/products"
    token = proxy.system.auth.bearer()["Authorization"]

    async def curl(*arguments: str) -> str:
        common = ("-s", "-m", "10", "--http2-prior-knowledge", "-o", os.devnull, "-w", "%{http_version} %{http_code}")
        process = await asyncio.create_subprocess_exec("curl", *common, *arguments, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        return output.decode()

    for _ in range(5):
        uploads = [asyncio.create_task(curl("-d", "x" * 100_000, url)) for _ in range(5)]
        others = await asyncio.gather(*(curl("-H", f"Authorization: {token}", url) for _ in range(5)))
        assert others == ["2 200"] * 5
        assert await asyncio.gather(*uploads) == ["2 401"] * 5


FORGED = {"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/evil", "Forwarded": "for=9.9.9.9;proto=https"}


async def test_forwarding_headers_of_clients_are_not_believed(proxy: Proxy) -> None:
    headers = {**proxy.system.auth.bearer(), **FORGED, "X-Forwarded-For": "9.9.9.9, 127.0.0.5"}
    async with proxy.system.client.get(proxy.url + "/api/v1/products", headers=headers) as response:
        assert response.status == 200
    seen = proxy.system.catalog.last
    assert seen.value("x-forwarded-proto") == "http"
    assert seen.values("x-forwarded-prefix") == []


async def test_proxy_reports_address_scheme_and_prefix(proxy: Proxy) -> None:
    await proxy.get("/api/v1/products")
    seen = proxy.system.catalog.last
    assert (seen.value("x-forwarded-for"), seen.value("x-forwarded-proto")) == ("127.0.0.1", "http")
    response = await proxy.get("/shop/api/v1/products/7")
    assert (response.status, proxy.system.catalog.last.raw_path) == (200, "/api/v1/products/7")
    assert proxy.system.catalog.last.value("x-forwarded-prefix") == "/shop"
    servers = (await (await proxy.get("/shop/openapi.json")).json())["servers"]
    assert servers == [{"url": "/shop", "description": "This server."}]


async def test_java_client_is_served(proxy: Proxy) -> None:
    """The bytes of Java's HttpClient: it asks for HTTP/2 with its first request."""
    body = b'{"username":"ann","password":"x"}'
    request = (
        b"POST /api/v1/auth/login HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: %d\r\n"
        b"Host: 127.0.0.1\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n"
        b"User-Agent: Java-http-client/21\r\nContent-Type: application/json\r\n\r\n" % len(body)
    )
    received = await proxy.send(request, body)
    assert received.startswith(b"HTTP/1.1 200"), received
    assert proxy.system.auth.last.body == body


async def test_websocket_and_stream_pass(proxy: Proxy) -> None:
    async def echo(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})

    proxy.system.notifications.handlers["/api/v1/ws"] = echo
    headers = proxy.system.auth.bearer()
    if proxy.name == "apache" and not os.path.exists(f"{APACHE_MODULES}/mod_proxy_wstunnel.so"):  # noqa: PTH110
        return
    async with proxy.system.client.ws_connect(proxy.url + "/api/v1/ws", headers=headers) as socket:
        await socket.send_str("hello")
        assert (await asyncio.wait_for(socket.receive(), 60)).data == "hello"
