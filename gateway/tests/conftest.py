"""A gateway at a real port, in front of small real services: over loopback, or in its own process."""

import asyncio
import base64
import contextlib
import hashlib
import json
import secrets
import socket
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stockbuddy.contracts.internal import DENIALS_PATH, LAST_USED_PATH, REVOCATIONS_PATH, TOKEN_EXCHANGE_PATH
from stockbuddy.gateway.app import create_gateway
from stockbuddy.gateway.server import server_config
from stockbuddy.gateway.settings import GatewaySettings

SERVICES = ("auth", "catalog", "stock", "notifications")


# Servers


class AppServer:
    """An ASGI app at a port of the loopback interface, which can be stopped and restarted at the same port.

    Runs uvicorn's parts without its main loop, whose ticks would cost every test a quarter of a second.
    """

    def __init__(self, config: Callable[[], uvicorn.Config]) -> None:
        self._config = config
        self._server: uvicorn.Server | None = None
        self.port = 0

    async def start(self) -> None:
        # asyncio disables Nagle's algorithm only for sockets with an explicit TCP protocol.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        config = self._config()
        config.load()
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=[listener])
        assert self._server.started
        await self._server.on_tick(0)  # creates the Date header

    async def stop(self) -> None:
        """At once: requests in flight are aborted."""
        if self._server is None:
            return
        server, self._server = self._server, None
        for listener in server.servers:
            listener.close()
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        for task in server.server_state.tasks:
            task.cancel()
        await asyncio.gather(*server.server_state.tasks, return_exceptions=True)
        await server.lifespan.shutdown()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class AbortableProtocol(HttpToolsProtocol):
    """Gives a fake service access to its transport, so that it can cut the connection like a killed process."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["transport"] = self.transport  # type: ignore[typeddict-unknown-key]


def plain_config(app: ASGIApp) -> Callable[[], uvicorn.Config]:
    return lambda: uvicorn.Config(
        app, http=AbortableProtocol, log_config=None, access_log=False, lifespan="off", proxy_headers=False
    )


# Services


@dataclass
class ReceivedRequest:
    """A request as the service received it."""

    method: str
    path: str
    raw_path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    client: str | None

    def values(self, name: str) -> list[str]:
        return [value for header, value in self.headers if header == name]

    def value(self, name: str) -> str:
        (value,) = self.values(name)
        return value


class FakeService:
    """Responds with a description of the request; `handlers` are other behaviours, by path."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen: list[ReceivedRequest] = []
        self.handlers: dict[str, ASGIApp] = {}
        self.documents: dict[str, Any] = {"/health/ready": {"status": "ok"}}
        self.document: dict[str, Any] | None = None
        """Its OpenAPI document, if it has one."""

    @property
    def last(self) -> ReceivedRequest:
        return self.seen[-1]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path in self.handlers:
            await self.handlers[path](scope, receive, send)
        elif path == "/openapi.json":
            await answer_json(send, self.document, status=200 if self.document else 404)
        elif path in self.documents:
            await answer_json(send, self.documents[path])
        elif path.startswith("/internal/"):
            await answer_json(send, {}, status=404)
        elif scope["type"] == "http":
            await self.echo(scope, receive, send)

    async def echo(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if body is None:
            return
        seen = ReceivedRequest(
            scope["method"],
            scope["path"],
            scope["raw_path"].decode(),
            scope["query_string"].decode(),
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
            body,
            scope["client"][0] if scope["client"] else None,
        )
        self.seen.append(seen)
        digest = hashlib.sha256(body).hexdigest()
        await answer_json(
            send, {"service": self.name, "method": seen.method, "path": seen.path, "bytes": len(body), "sha256": digest}
        )


async def read_body(receive: Receive) -> bytes | None:
    """None if the client disconnected."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


async def answer_json(send: Send, document: Any, *, status: int = 200) -> None:
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class FakeAuth(FakeService):
    """Signs tokens, publishes its key, exchanges credentials and lists revoked sessions."""

    def __init__(self) -> None:
        super().__init__("auth")
        self.key = Ed25519PrivateKey.generate()
        self.key_id = "key-1"
        self.revoked: list[str] = []
        self.polls: list[str] = []
        self.credentials: dict[tuple[str, str], str] = {}
        """(`api_key`, `session_cookie` or `stream_ticket`, its value) → the session id of the token."""
        self.exchanges: list[dict[str, Any]] = []
        self.token_seconds = 900
        self.csrf_token: str | None = None
        self.cookie_max_age: int | None = None
        self.denials: list[dict[str, Any]] = []
        self.uses: list[dict[str, str]] = []

    @property
    def public_key(self) -> dict[str, str]:
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.key_id, "use": "sig", "alg": "EdDSA"}

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": "stockbuddy",
            "aud": "stockbuddy",
            "sub": "7",
            "sid": uuid.uuid4().hex,
            "jti": uuid.uuid4().hex,
            "iat": now,
            "exp": now + self.token_seconds,
            "role": "manager",
            "username": "ann",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, **changes: Any) -> str:
        headers = {"kid": self.key_id, "typ": "at+jwt"}
        return jwt.encode(self.claims(**changes), self.key, algorithm="EdDSA", headers=headers)

    def bearer(self, **changes: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(**changes)}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in self.handlers:
            await super().__call__(scope, receive, send)
        elif scope["path"] == "/.well-known/jwks.json":
            await answer_json(send, {"keys": [self.public_key]})
        elif scope["path"] == REVOCATIONS_PATH:
            await self._list_revocations(scope, send)
        elif scope["path"] == TOKEN_EXCHANGE_PATH and scope["method"] == "POST":
            await self._exchange(receive, send)
        elif scope["path"] in (DENIALS_PATH, LAST_USED_PATH):
            await self._receive_report(receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def _receive_report(self, receive: Receive, send: Send) -> None:
        report = json.loads(await read_body(receive) or b"{}")
        self.denials += report.get("requests", [])
        self.uses += report.get("sessions", [])
        await answer_json(send, None)

    async def _list_revocations(self, scope: Scope, send: Send) -> None:
        after = scope["query_string"].decode().removeprefix("after=")
        self.polls.append(after)
        await answer_json(send, {"session_ids": self.revoked[int(after or 0) :], "cursor": str(len(self.revoked))})

    async def _exchange(self, receive: Receive, send: Send) -> None:
        shown = json.loads(await read_body(receive) or b"{}")
        self.exchanges.append(shown)
        credential = next(iter(shown.items()))
        session_id = self.credentials.get(credential)
        if "stream_ticket" in shown:
            self.credentials.pop(credential, None)  # works once
        if session_id is None:
            await answer_json(send, {"code": "unauthenticated"}, status=401)
        else:
            token = self.token(sid=session_id)
            answer = {"access_token": token, "expires_in": self.token_seconds}
            if self.csrf_token:
                answer |= {"csrf_token": self.csrf_token, "cookie_max_age": self.cookie_max_age}
            await answer_json(send, answer)


# The system


@dataclass
class System:
    """The gateway at `url`, and the services behind it."""

    auth: FakeAuth
    services: dict[str, FakeService]
    servers: dict[str, AppServer] = field(default_factory=dict)
    """The services' servers, if they run over loopback."""
    url: str = ""
    gateway: AppServer | None = None
    client: aiohttp.ClientSession = field(init=False)

    catalog = property(lambda self: self.services["catalog"])
    stock = property(lambda self: self.services["stock"])
    notifications = property(lambda self: self.services["notifications"])

    async def call(self, method: str, path: str, **options: Any) -> "Response":
        """As a manager, unless `headers` are given; `headers={}` is an anonymous request."""
        headers = options.pop("headers", None)
        if headers is None:
            headers = self.auth.bearer()
        async with self.client.request(
            method, self.url + path, headers=headers, allow_redirects=False, **options
        ) as response:
            return Response(response.status, response.headers.copy(), await response.read())

    async def get(self, path: str, **options: Any) -> "Response":
        return await self.call("GET", path, **options)

    async def eventually(self, holds: Callable[[], Awaitable[bool] | bool]) -> None:
        """Poll until the condition holds; a busy machine has a minute, since its speed is not tested."""
        deadline = time.monotonic() + 60
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            assert time.monotonic() < deadline, "the condition did not hold in time"
            await asyncio.sleep(0.01)


@dataclass
class Response:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def is_problem(self, status: int, code: str) -> bool:
        """Also checks the shape that every problem has (RFC 9457)."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        problem = self.json
        assert problem["request_id"] == self.headers["X-Request-ID"]
        assert problem["status"] == self.status
        assert {"type", "title", "detail"} <= set(problem)
        return (self.status, problem["code"]) == (status, code)


StartSystem = Callable[..., Awaitable[System]]


@pytest.fixture(params=["http", "direct"])
def mode(request: pytest.FixtureRequest) -> str:
    """Both implementations of the upstream protocol."""
    return str(request.param)


@pytest.fixture
async def start_system() -> AsyncIterator[StartSystem]:
    """`await start_system("http" | "direct", setting=value…)`."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(
            mode: str = "http",
            prepare: Callable[[System], None] | None = None,
            *,
            wait_for_sessions: bool = True,
            **settings: Any,
        ) -> System:
            system = await stack.enter_async_context(_running(mode, settings, prepare))
            if wait_for_sessions:
                await system.eventually(lambda: _knows_sessions(system))
            return system

        yield start


@pytest.fixture
async def system(mode: str, start_system: StartSystem) -> System:
    return await start_system(mode)


@contextlib.asynccontextmanager
async def _running(
    mode: str, chosen: dict[str, Any], prepare: Callable[[System], None] | None
) -> AsyncIterator[System]:
    auth = FakeAuth()
    services: dict[str, FakeService] = {name: FakeService(name) for name in SERVICES[1:]} | {"auth": auth}
    system = System(auth, services)
    if prepare is not None:
        prepare(system)
    if mode == "http":
        system.servers = {name: AppServer(plain_config(services[name])) for name in SERVICES}
        await asyncio.gather(*(server.start() for server in system.servers.values()))
        chosen = {f"{name}_url": server.url for name, server in system.servers.items()} | chosen
    settings = GatewaySettings(**{"env": "development", "gateway_secret": secrets.token_urlsafe(32), **chosen})
    app = create_gateway(settings, services if mode == "direct" else None)
    system.gateway = AppServer(lambda: server_config(app, settings))
    await system.gateway.start()
    system.url = system.gateway.url
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as system.client:
            yield system
    finally:
        await asyncio.gather(*(server.stop() for server in [system.gateway, *system.servers.values()]))


async def _knows_sessions(system: System) -> bool:
    return bool(system.auth.polls) and (await system.get("/api/v1/sales")).status == 200


@dataclass
class Replica:
    service: FakeService
    server: AppServer

    @property
    def url(self) -> str:
        return self.server.url


@pytest.fixture
async def replicas() -> AsyncIterator[list[Replica]]:
    """Three replicas of the catalog, to start a system with."""
    services = [FakeService("catalog") for _ in range(3)]
    replicas = [Replica(service, AppServer(plain_config(service))) for service in services]
    await asyncio.gather(*(replica.server.start() for replica in replicas))
    yield replicas
    await asyncio.gather(*(replica.server.stop() for replica in replicas))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """Paths of a certificate for loopback and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    certificate_file, key_file = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate_file.write_bytes(signed.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(certificate_file), str(key_file)


def build_console(folder: Path, page: str, files: Mapping[str, bytes]) -> Path:
    """A directory as the build of the console leaves it. `files`: those with a hash in their names."""
    (folder / "site" / "console").mkdir(parents=True)
    (folder / "site" / "index.html").write_text(page)
    (folder / "site" / "service-worker.js").write_text('const FOLDER = "__FILES_URL__";')
    for name, content in files.items():
        (folder / "site" / "console" / name).write_bytes(content)
    return folder
