"""The proxy step: forward the request to the service that its route names."""

from collections.abc import Mapping
from functools import partial
from urllib.parse import unquote

from starlette.types import Scope

from stockbuddy.gateway.proxy.kept_positions import KeptPositions
from stockbuddy.gateway.proxy.live_streams import LiveStreams
from stockbuddy.gateway.proxy.path_prefix import LinkPrefix
from stockbuddy.gateway.proxy.personal_data import PersonalDataExporter
from stockbuddy.gateway.proxy.response_writer import CONSISTENCY, ResponseWriter
from stockbuddy.gateway.proxy.upstream import AUTHENTICATED, Upstream
from stockbuddy.gateway.proxy.websocket_writer import WebSocketWriter
from stockbuddy.gateway.request import GatewayRequest

COOKIE_SERVICE = "auth"
"""The only service that sets cookies, and therefore receives them."""
PICTURE_SERVICE = "catalog"
"""The only service whose responses have links to pictures."""
READING_METHODS = frozenset({"GET", "HEAD"})
STREAMING = "stockbuddy.streaming"
"""Scope key of an open stream: the server closes it on shutdown instead of waiting for it."""


class Proxy:
    """`upstreams` by service name. `cdn_url`: where a CDN serves pictures; "" without one."""

    def __init__(self, upstreams: Mapping[str, Upstream], streams: LiveStreams, *, cdn_url: str = "") -> None:
        self._upstreams = upstreams
        self._streams = streams
        self._cdn_url = cdn_url
        self._personal_data = PersonalDataExporter(upstreams)
        self._positions = KeptPositions()

    async def forward(self, request: GatewayRequest, writer: ResponseWriter | WebSocketWriter) -> None:
        route, caller = request.route, request.caller
        if route.streaming and caller is not None:
            self._streams.require_capacity(caller)
        if route.personal_data and isinstance(writer, ResponseWriter):
            await self._personal_data.respond(request, self._upstream_scope(request), writer)
            return
        if caller is not None and request.method not in READING_METHODS and isinstance(writer, ResponseWriter):
            writer.record_consistency = partial(self._positions.record, caller)
        prefix, cdn_url = request.origin.path_prefix, self._cdn_url if route.service == PICTURE_SERVICE else ""
        send = LinkPrefix(writer, prefix, cdn_url) if (prefix or cdn_url) and not route.streaming else writer
        response = self._upstreams[route.service](self._upstream_scope(request), request.receive, send)
        if route.streaming and caller is not None:
            request.scope[STREAMING] = True
            if not await self._streams.run(caller, response):
                await writer.end_session()
        else:
            await response

    def _upstream_scope(self, request: GatewayRequest) -> Scope:
        scope, caller = _upstream_scope(request), request.caller
        if caller is not None and request.method in READING_METHODS and (token := self._positions.token_for(caller)):
            scope["headers"].append((CONSISTENCY, token.encode()))  # in addition to the client's own
        return scope


def _upstream_scope(request: GatewayRequest) -> Scope:
    """The request as the service receives it."""
    headers, caller, path = request.headers, request.caller, request.path
    scope = dict(request.scope)
    if request.method == "HEAD" and not request.route.streaming:
        # HEAD is GET without the response body (RFC 9110 §9.3.2), which the gateway's server omits.
        scope["method"] = "GET"
    scope["path"] = unquote(path) if "%" in path else path
    scope["raw_path"] = path.encode("latin-1")
    scope["root_path"] = ""
    scope["client"] = (request.origin.address, 0)
    scope["state"] = {}
    scope[AUTHENTICATED] = caller is not None
    scope["headers"] = headers.to_upstream(
        request.origin,
        authorization=caller.authorization if caller else headers.parsed.get(b"authorization"),
        cookies=request.route.service == COOKIE_SERVICE,
    )
    return scope
