"""How the gateway asks for a token, and what it gets."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Secret = Annotated[str, Field(min_length=1, max_length=200)]


class ExchangeToken(BaseModel):
    """One of the two."""

    model_config = ConfigDict(extra="forbid")

    api_key: Secret | None = None
    session_cookie: Secret | None = None

    @model_validator(mode="after")
    def need_one(self) -> Self:
        if (self.api_key is None) == (self.session_cookie is None):
            raise ValueError("give either api_key or session_cookie")
        return self


class ExchangedToken(BaseModel):
    """`csrf_token` comes with a cookie: what `X-CSRF-Token` must hold on unsafe methods."""

    access_token: str
    expires_in: int
    csrf_token: str | None = None
