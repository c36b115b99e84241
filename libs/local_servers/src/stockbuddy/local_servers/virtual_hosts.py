"""RabbitMQ virtual hosts through the management API; each test uses its own."""

from __future__ import annotations

import base64
import json
import secrets
import time
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, unquote, urlsplit

PREFIX = "stockbuddy-test"
STALE_SECONDS = 3 * 3600  # longer than any test run; older ones are left over from killed runs
TIMEOUT_SECONDS = 30.0


class ManagementError(OSError):
    """The management API answered with an error."""


class VirtualHosts:
    """`management_url` and `bus_url` contain the credentials of the same administrator."""

    def __init__(self, bus_url: str, management_url: str) -> None:
        self._bus_url = urlsplit(bus_url)
        self._management_url = urlsplit(management_url)

    @property
    def management_url(self) -> str:
        return self._management_url.geturl()

    def create(self, name: str | None = None) -> str:
        """Create a virtual host, by default with a new name, and return its AMQP URL."""
        name = name or f"{PREFIX}-{int(time.time())}-{secrets.token_hex(4)}"
        self._call("PUT", f"/api/vhosts/{name}")
        user = quote(unquote(self._bus_url.username or "guest"), safe="")
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self._call("PUT", f"/api/permissions/{name}/{user}", everything)
        return self._bus_url._replace(path=f"/{name}").geturl()

    def delete(self, url: str) -> None:
        """Delete the virtual host; the broker closes its connections."""
        self._call("DELETE", f"/api/vhosts/{_host(url)}")

    def create_user(self, name: str, *, password: str) -> None:
        """Create a user without permissions."""
        self._call("PUT", f"/api/users/{name}", {"password": password, "tags": ""})

    def delete_user(self, name: str) -> None:
        self._call("DELETE", f"/api/users/{name}")

    def permit(self, url: str, user: str, *, configure: str, write: str, read: str) -> None:
        """Grant permissions as regular expressions on the names of exchanges and queues in the virtual host of
        `url`."""
        permissions = {"configure": configure, "write": write, "read": read}
        self._call("PUT", f"/api/permissions/{_host(url)}/{user}", permissions)

    def permit_topics(self, url: str, user: str, exchange: str, *, write: str, read: str) -> None:
        """Grant topic permissions as regular expressions on the routing keys of a topic exchange."""
        permissions = {"exchange": exchange, "write": write, "read": read}
        self._call("PUT", f"/api/topic-permissions/{_host(url)}/{user}", permissions)

    def delete_stale(self) -> None:
        for host in self._call("GET", "/api/vhosts?columns=name"):
            name = host["name"]
            if name.startswith(PREFIX) and int(name.split("-")[2]) < time.time() - STALE_SECONDS:
                self._call("DELETE", f"/api/vhosts/{name}")

    def is_ready(self) -> bool:
        """True if the broker serves its management API and its AMQP port."""
        try:
            self._call("GET", "/api/health/checks/virtual-hosts")
            self._call("GET", "/api/health/checks/protocol-listener/amqp")
        except (OSError, HTTPException):
            return False
        return True

    def _call(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        target = self._management_url
        credentials = f"{unquote(target.username or 'guest')}:{unquote(target.password or 'guest')}"
        headers = {
            "Authorization": "Basic " + base64.b64encode(credentials.encode()).decode(),
            "Content-Type": "application/json",
        }
        connection = HTTPConnection(target.hostname or "localhost", target.port or 15672, timeout=TIMEOUT_SECONDS)
        with closing(connection):
            connection.request(method, path, None if method != "PUT" else json.dumps(body or {}), headers)
            answer = connection.getresponse()
            content = answer.read()
        if answer.status >= 300:
            raise ManagementError(f"{method} {path}: {answer.status} {content.decode(errors='replace')}")
        return json.loads(content) if content else None


def _host(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")
