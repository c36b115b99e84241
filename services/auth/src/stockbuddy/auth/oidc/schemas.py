"""Requests and responses of single sign-on."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from stockbuddy.chassis.fields import NO_CONTROL_CHARACTERS

MAX_PARAMETER_LENGTH = 4096

Parameter = Annotated[str, StringConstraints(max_length=MAX_PARAMETER_LENGTH, pattern=NO_CONTROL_CHARACTERS)]


class ProviderResponse(BaseModel):
    """An identity provider that users can sign in at."""

    name: Annotated[str, Field(description="Identifies the provider in paths: `/auth/oidc/{provider}/start`.")]
    title: Annotated[str, Field(description="What a login page calls it.")]
    start_url: Annotated[str, Field(description="Where a browser goes to sign in; takes `return_to`, a path.")]


class ProviderList(BaseModel):
    """The identity providers; empty without single sign-on."""

    items: Annotated[list[ProviderResponse], Field(description="In the order of the settings.")]


class StartSignIn(BaseModel):
    """`return_to`: a path of this site, not of another one (open redirect)."""

    model_config = ConfigDict(extra="forbid")

    return_to: Annotated[
        str,
        StringConstraints(pattern=r"^/([A-Za-z0-9_~.?&=%-][A-Za-z0-9_~./?&=%-]*)?$", max_length=4000),
        Field(description="Path of this site that the browser is sent to after the sign-in."),
    ] = "/"


class FinishSignIn(BaseModel):
    """What the provider adds to the callback; unknown parameters are ignored (RFC 6749 §4.1.2)."""

    state: Annotated[
        Parameter, Field(description="Names the sign-in that `GET /auth/oidc/{provider}/start` began.")
    ] = ""
    code: Annotated[
        Parameter | None,
        Field(description="What this server exchanges for the ID token; absent if the provider refused."),
    ] = None
    iss: Annotated[Parameter | None, Field(description="The provider's issuer (RFC 9207).")] = None
    error: Annotated[
        Parameter | None, Field(description="Why the provider refused, as it names it: `access_denied`.")
    ] = None
