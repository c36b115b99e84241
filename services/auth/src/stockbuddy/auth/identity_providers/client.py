"""HTTP client of one identity provider: discovery, signing keys, the exchange of codes, and user information."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import jwt
import structlog

from stockbuddy.auth.identity_providers.configuration import IdentityProvider, require_secure_url
from stockbuddy.auth.identity_providers.errors import ProviderUnavailable, SignInFailed
from stockbuddy.auth.identity_providers.id_tokens import InvalidIdToken, read_key_id, verify_id_token

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 10
METADATA_TTL_SECONDS = 3600
MIN_KEY_FETCH_INTERVAL_SECONDS = 5
"""A token with an unknown key fetches the keys again: a rotation fails no sign-in, forged tokens cause no flood."""
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderClient:
    """Caches the provider's metadata and keys. Raises ProviderUnavailable or SignInFailed."""

    def __init__(self, provider: IdentityProvider) -> None:
        self.provider = provider
        self._metadata: Mapping[str, Any] = {}
        self._metadata_fetched_at = 0.0
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._keys_fetched_at = -float(MIN_KEY_FETCH_INTERVAL_SECONDS)

    async def metadata(self) -> Mapping[str, Any]:
        """The provider's metadata (OpenID Connect Discovery 1.0 §4.3)."""
        if not self._metadata or time.monotonic() - self._metadata_fetched_at > METADATA_TTL_SECONDS:
            metadata = await self._fetch("GET", f"{self.provider.issuer}/.well-known/openid-configuration")
            if str(metadata.get("issuer", "")).rstrip("/") != self.provider.issuer:
                raise self._unavailable("the metadata is of another issuer")
            try:
                for endpoint in ENDPOINTS:
                    require_secure_url(str(metadata.get(endpoint, "")).partition("?")[0])
            except ValueError as error:
                raise self._unavailable(f"unusable endpoint: {error}") from error
            self._metadata, self._metadata_fetched_at = metadata, time.monotonic()
        return self._metadata

    async def authorization_url(self, **parameters: str) -> str:
        """The URL that the browser is sent to, for the code flow (OpenID Connect Core 1.0 §3.1.2.1)."""
        endpoint = (await self.metadata())["authorization_endpoint"]
        query = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "scope": " ".join(self.provider.scopes),
            **parameters,
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def exchange_code(self, code: str, *, code_verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        """The token response (RFC 6749 §4.1.3, RFC 7636 §4.5). The client authenticates with HTTP Basic; id and secret
        are form-encoded before they are joined (RFC 6749 §2.3.1)."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
        }
        client_id, secret = self.provider.client_id, self.provider.client_secret.get_secret_value()
        headers = {"Authorization": aiohttp.encode_basic_auth(quote(client_id, ""), quote(secret, ""))}
        return await self._fetch("POST", (await self.metadata())["token_endpoint"], data=form, headers=headers)

    async def verify(self, id_token: object, nonce: str) -> Mapping[str, Any]:
        """The claims of an ID token."""
        try:
            if not isinstance(id_token, str):
                raise InvalidIdToken("The response contains no ID token.")
            key = await self._key(read_key_id(id_token))
            provider = self.provider
            issuer = str((await self.metadata())["issuer"])
            return verify_id_token(id_token, key, issuer=issuer, client_id=provider.client_id, nonce=nonce)
        except InvalidIdToken as error:
            log.warning("oidc.id_token_rejected", provider=self.provider.name, error=str(error))
            raise SignInFailed() from error

    async def user_information(self, access_token: object, subject: str) -> Mapping[str, Any]:
        """Claims that the ID token lacks (OpenID Connect Core 1.0 §5.3); none if the provider offers none."""
        endpoint = (await self.metadata()).get("userinfo_endpoint")
        if not isinstance(endpoint, str) or not isinstance(access_token, str):
            return {}
        claims = await self._fetch("GET", endpoint, headers={"Authorization": f"Bearer {access_token}"})
        if claims.get("sub") != subject:
            log.warning("oidc.user_information_of_another_user", provider=self.provider.name)
            raise SignInFailed()
        return claims

    async def logout_url(self, redirect_uri: str) -> str | None:
        """Where the browser logs out of the provider (RP-Initiated Logout 1.0); None if it cannot."""
        endpoint = (await self.metadata()).get("end_session_endpoint")
        if not isinstance(endpoint, str):
            return None
        query = urlencode({"client_id": self.provider.client_id, "post_logout_redirect_uri": redirect_uri})
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    async def _key(self, kid: str | None) -> jwt.PyJWK:
        # A token without `kid` does not show whether the keys have changed.
        is_known = kid is not None and kid in self._keys
        if not is_known and time.monotonic() - self._keys_fetched_at >= MIN_KEY_FETCH_INTERVAL_SECONDS:
            document = await self._fetch("GET", (await self.metadata())["jwks_uri"])
            self._keys = _signing_keys(document)
            self._keys_fetched_at = time.monotonic()
        try:
            return self._keys[kid]
        except KeyError as error:
            raise InvalidIdToken("The ID token is signed with an unknown key.") from error

    async def _fetch(self, method: str, url: str, **options: Any) -> Mapping[str, Any]:
        """A JSON object. A refusal (4xx) of the code is SignInFailed, everything else ProviderUnavailable."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as client,
                client.request(method, url, allow_redirects=False, **options) as response,
            ):
                if method == "POST" and 400 <= response.status < 500:
                    log.warning("oidc.code_refused", provider=self.provider.name, status=response.status)
                    raise SignInFailed()
                if response.status != 200:
                    raise self._unavailable(f"{url} answered {response.status}")
                document = await response.json(content_type=None)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise self._unavailable(repr(error)) from error
        if not isinstance(document, dict):
            raise self._unavailable(f"{url} answered no JSON object")
        return document

    def _unavailable(self, reason: str) -> ProviderUnavailable:
        log.warning("oidc.provider_unavailable", provider=self.provider.name, reason=reason)
        return ProviderUnavailable()


def _signing_keys(document: Mapping[str, Any]) -> dict[str | None, jwt.PyJWK]:
    """By `kid`; a single key may also be used by tokens without one. Keys of unknown kinds are left out."""
    keys: dict[str | None, jwt.PyJWK] = {}
    for jwk in document.get("keys", []):
        if jwk.get("use", "sig") != "sig":
            continue
        try:
            keys[jwk.get("kid")] = jwt.PyJWK(jwk)
        except jwt.PyJWTError:
            continue
    if len(keys) == 1:
        keys[None] = next(iter(keys.values()))
    return keys
