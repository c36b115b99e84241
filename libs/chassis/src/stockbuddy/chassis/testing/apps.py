"""A browser without scripts, and an app that its user authorizes by OAuth2."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2 as httpx

REDIRECT_URI = "https://app.example.com/callback"


class PageParser(HTMLParser):
    """The form of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = values["action"]
        if tag == "input" and values.get("type") == "hidden":
            self.fields[values["name"]] = values["value"]

    def handle_data(self, data: str) -> None:
        self.text += data


@dataclass
class Browser:
    """One browser: it keeps cookies, and shows a page at a time. `response`: the last one; `page`: its HTML."""

    http: httpx.AsyncClient
    response: Any = None
    page: str = ""

    async def open(self, url: str) -> Any:
        self.response = await self.http.get(url, follow_redirects=False)
        return await self._follow()

    async def send(self, action: str, **fields: str) -> Any:
        """Send the page's form with the button `action`."""
        form = PageParser(self.page)
        body = {**form.fields, **fields, "action": action}
        self.response = await self.http.post(form.action, data=body, follow_redirects=False)
        return await self._follow()

    async def log_in(self, username: str, password: str) -> Any:
        return await self.send("login", username=username, password=password)

    async def _follow(self) -> Any:
        """Follow redirects within this site."""
        while self.response.status_code == 303 and self.response.headers["location"].startswith("/"):
            self.response = await self.http.get(self.response.headers["location"], follow_redirects=False)
        self.page = self.response.text
        return self.response

    @property
    def text(self) -> str:
        return " ".join(PageParser(self.page).text.split())


@dataclass
class AppClient:
    """An app as a client of the token endpoint. `registered`: the response to its registration."""

    http: httpx.AsyncClient
    registered: dict[str, Any]
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def client_id(self) -> str:
        return str(self.registered["client_id"])

    @property
    def credentials(self) -> dict[str, str]:
        secret = self.registered["client_secret"]
        return {"client_id": self.client_id, **({"client_secret": secret} if secret else {})}

    def url(self, **changes: str | None) -> str:
        """The path of an authorization request; a parameter that is None is left out."""
        parameters: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": "catalog.read stock.read",
            "state": "a state: with+signs",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            **changes,
        }
        query = {name: value for name, value in parameters.items() if value is not None}
        return f"/api/v1/oauth/authorize?{urlencode(query)}"

    async def token(self, **form: str) -> Any:
        return await self.http.post("/api/v1/auth/token", data={**self.credentials, **form})

    async def exchange(self, used_code: str, /, **changes: str) -> Any:
        """The response to the code; `changes` replace what the app should send."""
        form = {"code": used_code, "redirect_uri": REDIRECT_URI, "code_verifier": self.verifier, **changes}
        return await self.token(grant_type="authorization_code", **form)

    async def refresh(self, refresh_token: str, **more: str) -> Any:
        return await self.token(grant_type="refresh_token", refresh_token=refresh_token, **more)

    async def introspect(self, token: str) -> Any:
        """What the server tells of a token; asserts success."""
        response = await self.http.post("/api/v1/oauth/introspect", data={**self.credentials, "token": token})
        assert response.status_code == 200, response.text
        return response.json()


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def parameters_of(response: Any) -> dict[str, str]:
    """What a redirect gives the app."""
    assert response.status_code == 303, response.text
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


def code_of(response: Any) -> str:
    return parameters_of(response)["code"]
