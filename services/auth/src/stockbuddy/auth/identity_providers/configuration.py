"""The configuration of identity providers, from `OIDC_PROVIDERS`."""

from collections.abc import Collection
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from stockbuddy.chassis.access.roles import Role

LOCALHOST = "localhost"


def require_secure_url(url: str) -> str:
    """The URL without a trailing slash. HTTPS, or HTTP on localhost. Raises ValueError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and (parts.scheme != "http" or not _is_localhost(host)):
        raise ValueError("must be an https URL, or http://localhost")
    if parts.query or parts.fragment or not host or parts.username:
        raise ValueError("must have a host, and neither user, query nor fragment")
    return url.rstrip("/")


def _is_localhost(host: str) -> bool:
    """Names below it are this machine, too (RFC 6761 §6.3)."""
    return host == LOCALHOST or host.endswith(f".{LOCALHOST}")


class IdentityProvider(BaseModel):
    """One OpenID Connect provider.

    `roles`: group → role; of several the highest one applies, at each sign-in. `default_role`: of users in none of
    these groups; null: they are rejected. `creates_users`: an unknown user is registered. `is_second_factor`: the
    provider has verified a second factor, so that none is asked for here.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    title: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    issuer: Annotated[str, AfterValidator(require_secure_url)]
    client_id: Annotated[str, StringConstraints(min_length=1)]
    client_secret: SecretStr
    scopes: list[str] = ["openid", "profile", "email"]
    groups_claim: str = "groups"
    roles: dict[str, Role] = {}
    default_role: Role | None = Role.SALESPERSON
    creates_users: bool = True
    is_second_factor: bool = False

    @model_validator(mode="after")
    def _require_openid(self) -> "IdentityProvider":
        if "openid" not in self.scopes:
            raise ValueError("scopes must contain openid")
        return self

    def role_of(self, groups: Collection[str]) -> Role | None:
        """The role of a user in these groups; null: the user may not sign in."""
        mapped = {self.roles[group] for group in groups if group in self.roles}
        return next((role for role in reversed(Role) if role in mapped), self.default_role)


def require_unique_names(providers: list[IdentityProvider]) -> list[IdentityProvider]:
    """Raises ValueError."""
    if len({provider.name for provider in providers}) < len(providers):
        raise ValueError("names must be unique")
    return providers


IdentityProviders = Annotated[list[IdentityProvider], AfterValidator(require_unique_names), Field(repr=False)]
