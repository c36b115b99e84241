"""What the gateway reads of a request's headers, and which of them go on to a service.

What identifies a caller, an address, a request or a trace is taken out of every request and set again by the gateway,
once: a service may believe it. Hop-by-hop headers end here (RFC 9110 §7.6.1).
"""

import random
import re
from dataclasses import dataclass, field

from starlette.types import Scope

HeaderList = list[tuple[bytes, bytes]]

_NOTED = frozenset(
    {
        b"authorization",
        b"connection",
        b"content-length",
        b"content-type",
        b"cookie",
        b"host",
        b"origin",
        b"traceparent",
        b"tracestate",
        b"transfer-encoding",
        b"x-api-key",
        b"x-csrf-token",
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-request-id",
    }
)
_PASSED_ON_ONCE = (b"content-length", b"content-type", b"host", b"origin", b"transfer-encoding")
"""Said twice, they could mean one thing to the gateway and another to a service."""
_DROPPED = frozenset(
    {
        # Hop by hop, and what the server in front of us has dealt with.
        b"expect",
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"upgrade",
        # Ways to claim another address, host, path or method than the real one.
        b"cf-connecting-ip",
        b"client-ip",
        b"fastly-client-ip",
        b"forwarded",
        b"true-client-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-forwarded",
        b"x-http-method",
        b"x-http-method-override",
        b"x-method-override",
        b"x-original-url",
        b"x-event_context-ip",
        b"x-real-ip",
        b"x-remote-addr",
        b"x-remote-ip",
        b"x-rewrite-url",
    }
)

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(slots=True)
class Incoming:
    """`noted` holds the last value of each header that the gateway itself looks at."""

    noted: dict[bytes, bytes] = field(default_factory=dict)
    passed_on: HeaderList = field(default_factory=list)
    request_id: bytes = b""

    @classmethod
    def read(cls, scope: Scope) -> "Incoming":
        incoming = cls()
        noted, passed_on = incoming.noted, incoming.passed_on
        for header in scope["headers"]:
            name = header[0]
            if name in _NOTED:
                noted[name] = header[1]
            elif name not in _DROPPED and not name.startswith(b"x-forwarded-"):
                passed_on.append(header)
        if b"connection" in noted:
            incoming._drop_named_by_connection()
        given = noted.get(b"x-request-id", b"")
        incoming.request_id = given if _REQUEST_ID.fullmatch(given) else new_request_id()
        return incoming

    def _drop_named_by_connection(self) -> None:
        options = {option.strip().lower() for option in self.noted[b"connection"].split(b",")}
        self.passed_on = [header for header in self.passed_on if header[0] not in options]

    @property
    def has_body(self) -> bool:
        return b"content-length" in self.noted or b"transfer-encoding" in self.noted

    @property
    def traceparent(self) -> bytes | None:
        """What the client says of its trace, if that makes sense."""
        said = self.noted.get(b"traceparent", b"")
        return said if _TRACEPARENT.fullmatch(said) else None

    def onward(self, *, address: str, scheme: str, authorization: bytes | None, cookies: bool) -> HeaderList:
        """The headers as a service gets them. `cookies` go only to the service that set them."""
        headers, noted = self.passed_on, self.noted
        headers += [(name, noted[name]) for name in _PASSED_ON_ONCE if name in noted]
        if authorization is not None:
            headers.append((b"authorization", authorization))
        if cookies and b"cookie" in noted:
            headers.append((b"cookie", noted[b"cookie"]))
        headers.append((b"x-forwarded-for", address.encode()))
        headers.append((b"x-forwarded-proto", scheme.encode()))
        headers.append((b"x-request-id", self.request_id))
        if (trace := self.traceparent) is not None:
            headers.append((b"traceparent", trace))
            if b"tracestate" in noted:
                headers.append((b"tracestate", noted[b"tracestate"]))
        else:
            headers.append((b"traceparent", _new_trace()))
        return headers


def new_request_id() -> bytes:
    """Unique, not secret: the system's random source would cost as much as the rest of reading a request."""
    return b"%032x" % random.getrandbits(128)


def _new_trace() -> bytes:
    """W3C Trace Context, version 00, sampled."""
    return b"00-%032x-%016x-01" % (random.getrandbits(128) or 1, random.getrandbits(64) or 1)
