"""A real identity provider for tests (oidc-provider-mock, on Authlib), which sends on request bad tokens."""

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote

import flask
import httpx2 as httpx
import jwt
import oidc_provider_mock
import werkzeug.serving
from cryptography.hazmat.primitives.asymmetric import rsa

Claims = dict[str, Any]


@dataclass
class Provider:
    """A running provider. `tamper` changes the claims of ID tokens, which are signed again; with
    `foreign_key` if set."""

    callback: str
    url: str = ""
    tamper: Callable[[Claims], Claims] = dict
    foreign_key: rsa.RSAPrivateKey | None = None
    challenges: list[str] = field(default_factory=list)
    verifiers: list[str] = field(default_factory=list)

    def before_request(self) -> None:
        if flask.request.path == "/oauth2/authorize" and flask.request.method == "POST":
            assert flask.request.args["code_challenge_method"] == "S256"
            self.challenges.append(flask.request.args["code_challenge"])
        if flask.request.path == "/oauth2/token":
            self.verifiers.append(flask.request.form["code_verifier"])

    def after_request(self, response: flask.Response) -> flask.Response:
        body = response.get_json(silent=True)
        if flask.request.path == "/oauth2/token" and body and "id_token" in body:
            jwk = flask.g.oidc_provider_mock_storage.jwk
            claims = jwt.decode(body["id_token"], options={"verify_signature": False})
            key: Any = self.foreign_key or jwt.PyJWK(jwk.as_dict(is_private=True)).key
            body["id_token"] = jwt.encode(self.tamper(claims), key, algorithm="RS256")
            response.set_data(json.dumps(body))
        return response

    async def authorize(self, url: str, subject: str, **claims: Any) -> dict[str, str]:
        """What the provider sends the browser back with, after the user has logged in there and consented."""
        async with httpx.AsyncClient(timeout=60) as browser:
            stored = await browser.put(f"{self.url}/users/{quote(subject)}", json=claims)
            assert stored.status_code == 204, stored.text
            answer = await browser.post(url, data={"sub": subject})
        assert answer.status_code == 302, answer.text
        callback, _, query = answer.headers["location"].partition("?")
        assert callback == self.callback
        return {name: values[0] for name, values in parse_qs(query).items()}


@contextlib.contextmanager
def running_provider(callback: str) -> Iterator[Provider]:
    """A provider on a free port of localhost that sends browsers back to `callback`."""
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    provider = Provider(callback)
    app = oidc_provider_mock.app()
    app.before_request(provider.before_request)
    app.after_request(provider.after_request)
    server = werkzeug.serving.make_server("localhost", 0, app, threaded=True)
    provider.url = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
