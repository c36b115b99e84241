"""How a client authenticates. `login` replaces the client's credentials with a `Session`."""

import base64
import hashlib
import json
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ApiKey:
    """For machines: tills, integrations."""

    key: str = field(repr=False)

    @property
    def owner(self) -> str:
        return "key:" + hashlib.sha256(self.key.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """OAuth2: the id and the secret of an API key, exchanged for access tokens."""

    client_id: str
    client_secret: str = field(repr=False)

    @property
    def owner(self) -> str:
        return f"client:{self.client_id}"


@dataclass(frozen=True, slots=True)
class Session:
    """An access token, renewed with the refresh token if there is one."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)

    @property
    def owner(self) -> str:
        """The user, from the token's `sub`."""
        payload = self.access_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return f"user:{claims['sub']}"


Credentials = ApiKey | ClientCredentials | Session
