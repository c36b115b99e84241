"""Reads a login from JSON or from a form: both are accepted on one path, so FastAPI can't choose by signature."""

import json
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from stockbuddy.auth.errors import UnsupportedMediaType
from stockbuddy.auth.fields import LONGEST_EMAIL, NO_CONTROL_CHARACTERS
from stockbuddy.chassis.http.errors import BadRequest

Body = TypeVar("Body", bound=BaseModel)

FORM = "application/x-www-form-urlencoded"
LONGEST_TYPED_PASSWORD = 1000

LoginName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_EMAIL, pattern=NO_CONTROL_CHARACTERS),
]
TypedPassword = Annotated[str, Field(max_length=LONGEST_TYPED_PASSWORD)]


class LogIn(BaseModel):
    """`username` may be the e-mail address."""

    model_config = ConfigDict(extra="forbid")

    username: LoginName
    password: TypedPassword


OAUTH_FIELDS = {"grant_type", "scope", "client_id", "client_secret"}
"""What OAuth2 clients send along with a login form; it changes nothing here."""


async def read_login(request: Request) -> LogIn:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == FORM:
        async with request.form(max_fields=20, max_files=0) as form:
            fields = {name: value for name, value in form.items() if name not in OAUTH_FIELDS}
        return validated(LogIn, fields)
    if content_type == "application/json" or content_type.endswith("+json"):
        return validated(LogIn, await read_json(request))
    raise UnsupportedMediaType()


async def read_json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not valid JSON.") from error


def validated(model: type[Body], content: Any) -> Body:
    """`content` as `model`; raises what FastAPI would raise."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in found]) from error


_SCHEMA = LogIn.model_json_schema()

LOGIN_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _SCHEMA}, FORM: {"schema": _SCHEMA}},
    }
}
"""What `openapi_extra` says of a route that uses `LoginBody`."""

LoginBody = Annotated[LogIn, Depends(read_login)]
