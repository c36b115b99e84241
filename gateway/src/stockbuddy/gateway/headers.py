"""Request headers: which the gateway reads, which it forwards, and which end here.

Headers that identify the caller, the client address, the request or the trace are removed from every request and set
by the gateway exactly once, so services can trust them.
"""

import random
import re
from dataclasses import dataclass, field

from starlette.types import Scope

from stockbuddy.gateway.client_address import ClientOrigin

HeaderList = list[tuple[bytes, bytes]]

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Headers of one connection (RFC 9110 §7.6.1), never forwarded. Transfer-Encoding only tells the upstream that a body
follows: each side frames messages itself."""

_PARSED = frozenset(
    {
        b"authorization",
        b"connection",
        b"content-length",
        b"content-type",
        b"cookie",
        b"forwarded",
        b"host",
        b"if-match",
        b"if-none-match",
        b"origin",
        b"traceparent",
        b"tracestate",
        b"transfer-encoding",
        b"x-api-key",
        b"x-csrf-token",
        b"x-forwarded-for",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-request-id",
    }
)
_JOINED = {
    b"connection": b",",
    b"cookie": b"; ",
    b"forwarded": b",",
    b"if-match": b", ",
    b"if-none-match": b", ",
    b"x-forwarded-for": b",",
}
"""Separators of lists: several headers of one name mean the same as one (RFC 9110 §5.3)."""
_FORWARDED_ONCE = (
    b"content-length",
    b"content-type",
    b"host",
    b"if-match",
    b"if-none-match",
    b"origin",
    b"transfer-encoding",
)
"""Forwarded as one header, the last one unless they form a list: a service might read duplicates differently."""
_DROPPED = HOP_BY_HOP | {
    b"expect",  # uvicorn responds to it
    # Client-supplied claims of another address, host, path or method.
    b"cf-connecting-ip",
    b"client-ip",
    b"fastly-client-ip",
    b"true-client-ip",
    b"x-client-ip",
    b"x-company",
    b"x-cluster-client-ip",
    b"x-forwarded",
    b"x-http-method",
    b"x-http-method-override",
    b"x-method-override",
    b"x-original-url",
    b"x-originating-ip",
    b"x-real-ip",
    b"x-remote-addr",
    b"x-remote-ip",
    b"x-rewrite-url",
}

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(slots=True)
class RequestHeaders:
    """`parsed` has the headers that the gateway itself reads: a list joined, of others the last value. `forwarded` has
    the unread ones."""

    parsed: dict[bytes, bytes] = field(default_factory=dict)
    forwarded: HeaderList = field(default_factory=list)
    request_id: bytes = b""

    @classmethod
    def read(cls, scope: Scope) -> "RequestHeaders":
        headers = cls()
        parsed, forwarded = headers.parsed, headers.forwarded
        for header in scope["headers"]:
            name = header[0]
            if name in _PARSED:
                if name in parsed and name in _JOINED:
                    parsed[name] += _JOINED[name] + header[1]
                else:
                    parsed[name] = header[1]
            elif name not in _DROPPED and not name.startswith(b"x-forwarded-"):
                forwarded.append(header)
        if b"connection" in parsed:
            headers._drop_named_by_connection()
        client_id = parsed.get(b"x-request-id", b"")
        headers.request_id = client_id if _REQUEST_ID.fullmatch(client_id) else new_request_id()
        return headers

    def _drop_named_by_connection(self) -> None:
        options = {option.strip().lower() for option in self.parsed[b"connection"].split(b",")}
        self.forwarded = [header for header in self.forwarded if header[0] not in options]

    @property
    def has_body(self) -> bool:
        return b"content-length" in self.parsed or b"transfer-encoding" in self.parsed

    @property
    def traceparent(self) -> bytes | None:
        """The client's trace context, if valid."""
        value = self.parsed.get(b"traceparent", b"")
        return value if _TRACEPARENT.fullmatch(value) else None

    def to_upstream(self, origin: ClientOrigin, *, authorization: bytes | None, cookies: bool) -> HeaderList:
        """The headers that the service receives."""
        headers, parsed = self.forwarded, self.parsed
        headers += [(name, parsed[name]) for name in _FORWARDED_ONCE if name in parsed]
        if authorization is not None:
            headers.append((b"authorization", authorization))
        if cookies and b"cookie" in parsed:
            headers.append((b"cookie", parsed[b"cookie"]))
        headers.append((b"x-forwarded-for", origin.address.encode()))
        headers.append((b"x-forwarded-proto", origin.scheme.encode()))
        if origin.path_prefix:
            headers.append((b"x-forwarded-prefix", origin.path_prefix.encode()))
        headers.append((b"x-request-id", self.request_id))
        if (trace := self.traceparent) is not None:
            headers.append((b"traceparent", trace))
            if b"tracestate" in parsed:
                headers.append((b"tracestate", parsed[b"tracestate"]))
        else:
            headers.append((b"traceparent", _new_trace()))
        return headers


def new_request_id() -> bytes:
    """Unique, not secret: `os.urandom` would cost as much as reading all other headers."""
    return b"%032x" % random.getrandbits(128)


def _new_trace() -> bytes:
    """W3C Trace Context, version 00, sampled."""
    return b"00-%032x-%016x-01" % (random.getrandbits(128) or 1, random.getrandbits(64) or 1)
