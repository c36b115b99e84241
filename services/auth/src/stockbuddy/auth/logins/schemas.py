"""Login bodies. One path accepts JSON and forms, so FastAPI cannot select the parser by signature."""

import json
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AliasChoices, Field, ValidationError

from stockbuddy.auth.errors import UnsupportedMediaType
from stockbuddy.auth.fields import MAX_EMAIL_LENGTH, LoginPassword, line
from stockbuddy.chassis.fields import RequestBody
from stockbuddy.chassis.http.errors import BadRequest

FORM = "application/x-www-form-urlencoded"
MAX_FORM_FIELDS = 20
OAUTH_FIELDS = {"grant_type", "scope", "client_id", "client_secret"}
"""Sent by OAuth2 clients with a login form, and ignored."""


class LoginCredentials(RequestBody):
    """`username` may be the e-mail address, which may also be called `email`."""

    username: Annotated[str, line(MAX_EMAIL_LENGTH), Field(validation_alias=AliasChoices("username", "email"))]
    password: LoginPassword


async def read_credentials(request: Request) -> LoginCredentials:
    content_type = media_type(request)
    if content_type == FORM:
        async with request.form(max_fields=MAX_FORM_FIELDS, max_files=0) as form:
            return _validate({name: value for name, value in form.items() if name not in OAUTH_FIELDS})
    if content_type == "application/json" or content_type.endswith("+json"):
        try:
            content = json.loads(await request.body())
        except (ValueError, RecursionError) as error:
            raise BadRequest("The body is not valid JSON.") from error
        return _validate(content)
    raise UnsupportedMediaType()


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _validate(content: Any) -> LoginCredentials:
    """Raises RequestValidationError, as FastAPI would."""
    try:
        return LoginCredentials.model_validate(content)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in errors]) from error


_SCHEMA = LoginCredentials.model_json_schema()

LOGIN_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _SCHEMA}, FORM: {"schema": _SCHEMA}},
    }
}
"""The `openapi_extra` of routes with a `LoginBody`."""

LoginBody = Annotated[LoginCredentials, Depends(read_credentials)]
