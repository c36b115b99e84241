"""Forms that pages send."""

from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException

from stockbuddy.auth.logins.schemas import FORM, media_type
from stockbuddy.auth.oauth.authorization_requests import RejectedByPage
from stockbuddy.auth.oauth.page_login import Form
from stockbuddy.auth.oauth.visitors import Visitor

MAX_FIELDS = 20
FORM_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "title": "PageForm",
                    "type": "object",
                    "required": ["action", "csrf_token"],
                    "properties": {
                        "action": {"type": "string", "enum": ["login", "code", "restart", "approve", "deny"]},
                        "csrf_token": {"type": "string"},
                    },
                }
            }
        },
    }
}
_HTML = {"text/html": {"schema": {"type": "string"}}}
HTML_PAGE: dict[int | str, dict[str, Any]] = {
    200: {"description": "A page for the user.", "content": _HTML},
    400: {"description": "A page that explains the error.", "content": _HTML},
}


async def read_form(request: Request, visitor: Visitor) -> Form:
    """Raises RejectedByPage for a form that does not come from a page of this visitor."""
    if media_type(request) != FORM:
        raise RejectedByPage("This page accepts its own forms only.")
    try:
        async with request.form(max_fields=MAX_FIELDS, max_files=0) as fields:
            form = {name: value for name, value in fields.items() if isinstance(value, str)}
    except HTTPException as error:
        raise RejectedByPage("The form is malformed.") from error
    if any("\x00" in value for value in form.values()) or not visitor.has_sent(form.get("csrf_token", "")):
        raise RejectedByPage("This page is out of date, or was not opened in this browser.")
    return form
