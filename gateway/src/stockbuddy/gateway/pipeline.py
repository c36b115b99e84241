"""The way of a request through the gateway: found, admitted, passed on, answered.

Pure ASGI and few steps, because every request of the system comes this way.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

import structlog
from starlette.types import Receive, Scope, Send

from stockbuddy.chassis.http.errors import Problem, Unauthenticated
from stockbuddy.gateway.admission.accounts import account_in, read_whole, replay
from stockbuddy.gateway.admission.bodies import CountedBody, refuse_declared_size
from stockbuddy.gateway.admission.client_address import ClientAddresses
from stockbuddy.gateway.admission.credentials import WEBSOCKET, Caller, Credentials
from stockbuddy.gateway.admission.incoming import HeaderList, Incoming
from stockbuddy.gateway.admission.rate_limits import RateLimits
from stockbuddy.gateway.admission.site import Site
from stockbuddy.gateway.answer import Answer
from stockbuddy.gateway.conversation import Conversation
from stockbuddy.gateway.documents.catalogue import Catalogue
from stockbuddy.gateway.errors import DeniedHere, ForeignPage, UnknownPath
from stockbuddy.gateway.live_streams import LiveStreams
from stockbuddy.gateway.paths import BASE, canonical_path
from stockbuddy.gateway.reports.denials import LONGEST_PATH, Denial, Denials
from stockbuddy.gateway.reports.uses import Uses
from stockbuddy.gateway.routes import KEY_SET, KEY_SET_PATH, MEBIBYTE, Route, Who, find_route
from stockbuddy.gateway.upstream.port import KNOWN_CALLER, ClientLeft, Interrupted, Upstream
from stockbuddy.gateway.usage import Usage

log = structlog.get_logger(__name__)

COOKIES_GO_TO = "auth"
"""The one service that sets cookies."""
ENDLESS = "stockbuddy.endless"
"""Set in the scope of a stream, which must not hold up the server when it stops."""
UNEXPECTED = "Something went wrong on our side; the request id helps to find it."


@dataclass(slots=True)
class Passage:
    """A request on its way, and what is known of it by now. `path` is canonical and still percent-encoded."""

    incoming: Incoming
    address: str
    scheme: str
    path: str = ""
    route: Route | None = None
    caller: Caller | None = None
    standing: HeaderList = field(default_factory=list)
    """How far the caller is from a limit, as headers of the answer."""


class Edge:
    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        *,
        credentials: Credentials,
        limits: RateLimits,
        site: Site,
        addresses: ClientAddresses,
        catalogue: Catalogue,
        streams: LiveStreams,
        usage: Usage,
        uses: Uses,
        denials: Denials,
        body_seconds: float,
        log_answers: bool,
    ) -> None:
        self._upstreams = upstreams
        self._credentials = credentials
        self._limits = limits
        self._site = site
        self._addresses = addresses
        self._catalogue = catalogue
        self._streams = streams
        self._usage = usage
        self._uses = uses
        self._denials = denials
        self._body_seconds = body_seconds
        self._log_answers = log_answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._serve_websocket(scope, receive, send)
        else:
            await self._serve_http(scope, receive, send)

    async def _serve_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began_at = time.perf_counter()
        passage = self._begin(scope)
        answer = Answer(send, passage.incoming.request_id, secure=passage.scheme == "https")
        try:
            route = await self._admit(passage, scope["method"], scope)
            if route.login and passage.incoming.has_body:
                receive = await self._count_login(passage, self._counted(route, receive))
            answer.add_headers(passage.standing)
            await self._pass_on(route, passage, scope, receive, answer)
        except Problem as problem:
            self._note_denial(problem, passage, scope["method"])
            await answer.refuse(problem, scope, receive)
        except ClientLeft:
            pass
        except Interrupted as error:
            # Neither an end nor an error may be pretended: returning now makes the server cut the connection.
            log.warning("answer.interrupted", **_of(passage), cause=repr(error.__cause__))
        except Exception as error:
            log.error("request.failed", **_of(passage), exc_info=error)
            await answer.refuse(Problem(UNEXPECTED), scope, receive)
        seconds = (answer.started_at or time.perf_counter()) - began_at
        self._usage.count(passage.route, passage.caller, scope["method"], answer.status, seconds)
        if self._log_answers:
            milliseconds = round(seconds * 1000, 2)
            log.debug(
                "request.answered",
                **_of(passage),
                method=scope["method"],
                status=answer.status,
                milliseconds=milliseconds,
            )

    async def _serve_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        passage = self._begin(scope)
        conversation = Conversation(send, passage.incoming.request_id)
        try:
            route = await self._admit(passage, WEBSOCKET, scope)
            self._usage.count(route, passage.caller, "WEBSOCKET", 101, 0)
            await self._pass_on(route, passage, scope, receive, conversation)
        except Problem as problem:
            self._note_denial(problem, passage, WEBSOCKET)
            await conversation.refuse(problem, scope, receive)
        except Exception as error:
            log.error("conversation.failed", **_of(passage), exc_info=error)
            await conversation.refuse(Problem(UNEXPECTED), scope, receive)

    def _begin(self, scope: Scope) -> Passage:
        incoming = Incoming.read(scope)
        noted = incoming.noted
        address, scheme = self._addresses.of(scope, noted.get(b"x-forwarded-for"), noted.get(b"x-forwarded-proto"))
        return Passage(incoming, address, scheme)

    async def _admit(self, passage: Passage, method: str, scope: Scope) -> Route:
        """Raises a Problem for whatever may not pass."""
        passage.path, route = _locate(method, scope["raw_path"].decode("latin-1"))
        passage.route = route
        noted = passage.incoming.noted
        try:
            self._site.refuse_others(noted.get(b"host", b""), passage.scheme)
        except Problem:
            await self._limits.count_stranger(passage.address)
            raise
        refuse_declared_size(noted.get(b"content-length"), route.body_bytes)
        if route.who is not Who.ANYONE:
            passage.caller = await self._caller(route, passage, method)
        if passage.caller is not None:
            passage.standing = await self._limits.count_caller(passage.caller.name)
            self._uses.note(passage.caller.principal.session_id)
        else:
            passage.standing = await self._limits.count_stranger(passage.address)
        return route

    async def _caller(self, route: Route, passage: Passage, method: str) -> Caller | None:
        try:
            caller = await self._credentials.caller(passage.incoming, method, passage.address)
            if caller is None and route.who is Who.CALLERS:
                raise Unauthenticated("Credentials are needed: a bearer token or an API key.")
        except (Unauthenticated, ForeignPage):
            await self._limits.count_stranger(passage.address)
            if not route.endless and not self._catalogue.may_exist(route.service, passage.path):
                raise UnknownPath from None
            raise
        return caller

    def _note_denial(self, problem: Problem, passage: Passage, method: str) -> None:
        if isinstance(problem, DeniedHere):
            self._denials.note(_denial(problem, passage, method))

    async def _count_login(self, passage: Passage, receive: Receive) -> Receive:
        """Reads the body for the account it names. Raises TooManyRequests."""
        noted = passage.incoming.noted
        body = await read_whole(receive)
        account = account_in(
            body, content_type=noted.get(b"content-type", b""), authorization=noted.get(b"authorization", b"")
        )
        passage.standing = await self._limits.count_login(account, passage.address) or passage.standing
        return replay(body, receive)

    def _counted(self, route: Route, receive: Receive) -> Receive:
        seconds = self._body_seconds * max(1.0, route.body_bytes / MEBIBYTE)
        return CountedBody(receive, most_bytes=route.body_bytes, seconds=seconds)

    async def _pass_on(
        self, route: Route, passage: Passage, scope: Scope, receive: Receive, answer: Answer | Conversation
    ) -> None:
        if passage.incoming.has_body and not route.login:
            receive = self._counted(route, receive)
        onward = _onward(route, passage, scope)
        upstream = self._upstreams[route.service]
        if route.endless and passage.caller is not None:
            scope[ENDLESS] = True
            if not await self._streams.run(passage.caller.principal, upstream(onward, receive, answer)):
                await answer.end()
        else:
            await upstream(onward, receive, answer)


def _locate(method: str, raw_path: str) -> tuple[str, Route]:
    """The canonical path, with its base, and its row in the table. Raises UnknownPath."""
    path = canonical_path(method, raw_path)
    if path is not None:
        route = find_route(method, path)
        if route is not None:
            return BASE + path, route
    elif raw_path.removesuffix("/") == KEY_SET_PATH:
        return KEY_SET_PATH, KEY_SET
    raise UnknownPath


def _of(passage: Passage) -> dict[str, str]:
    """What a line in the log says of a request."""
    return {"request_id": passage.incoming.request_id.decode(), "path": passage.path}


def _denial(refusal: DeniedHere, passage: Passage, method: str) -> Denial:
    incoming, principal = passage.incoming, refusal.principal
    return Denial(
        method=method,
        path=passage.path[:LONGEST_PATH],
        code=refusal.code,
        user_id=principal.user_id if principal else None,
        username=principal.username if principal else None,
        client_ip=passage.address,
        request_id=incoming.request_id.decode(),
        traceparent=incoming.traceparent.decode() if incoming.traceparent else None,
    )


def _onward(route: Route, passage: Passage, scope: Scope) -> Scope:
    """The request as the service gets it."""
    incoming, caller, path = passage.incoming, passage.caller, passage.path
    onward = dict(scope)
    if scope.get("method") == "HEAD" and not route.endless:
        # HEAD is GET without the body (RFC 9110 §9.3.2), which our server leaves out; services know GET alone.
        onward["method"] = "GET"
    onward["path"] = unquote(path) if "%" in path else path
    onward["raw_path"] = path.encode("latin-1")
    onward["root_path"] = ""
    onward["client"] = (passage.address, 0)
    onward["state"] = {}
    onward[KNOWN_CALLER] = caller is not None
    onward["headers"] = incoming.onward(
        address=passage.address,
        scheme=passage.scheme,
        authorization=caller.authorization if caller else incoming.noted.get(b"authorization"),
        cookies=route.service == COOKIES_GO_TO,
    )
    return onward
