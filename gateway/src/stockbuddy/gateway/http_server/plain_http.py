"""Answers a plain HTTP request at a TLS port with a problem, where OpenSSL would close the connection silently."""

import ssl
from typing import Any

from stockbuddy.chassis.http.errors import BadRequest
from stockbuddy.gateway.http_server.problems import encode_problem

_PLAIN_REQUESTS = ("HTTP_REQUEST", "HTTPS_PROXY_REQUEST")
"""OpenSSL's reasons; it recognises the methods GET, HEAD, POST, PUT and CONNECT."""


class HttpsRequired(BadRequest):
    """This port serves HTTPS only: use https:// in the address."""

    code = "https_required"


class PlainHttpDetector(ssl.SSLObject):
    """The `sslobject_class` of a server's context."""

    _outgoing: ssl.MemoryBIO
    _error: ssl.SSLError | None = None

    @classmethod
    def _create(
        cls, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **kwargs: Any
    ) -> "PlainHttpDetector":
        created: PlainHttpDetector = super()._create(incoming, outgoing, *args, **kwargs)  # type: ignore[misc]
        created._outgoing = outgoing
        return created

    def do_handshake(self) -> None:
        """Raises the error only when called again, by the end of the connection: until then the response is sent."""
        if self._error is not None:
            raise self._error
        try:
            super().do_handshake()
        except ssl.SSLError as error:
            if error.reason not in _PLAIN_REQUESTS:
                raise
            self._error = error
            self._outgoing.write(encode_problem(HttpsRequired()))
            raise ssl.SSLWantReadError from error
