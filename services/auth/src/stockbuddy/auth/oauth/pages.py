"""Pages for the users of apps: rendered here, so that they work without the console and without scripts."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_FOLDER = Path(__file__).with_name("templates")
_STYLE = (_FOLDER / "page.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_templates = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_templates.globals["style"] = _STYLE


def render_page(template: str, *, status: int = 200, form_target: str = "", **values: Any) -> HTMLResponse:
    """`form_target`: the source of a content security policy that the page's form may lead to besides this site:
    browsers check it for each redirect after the form is sent, too."""
    response = HTMLResponse(_templates.get_template(f"{template}.html").render(values), status)
    form_action = f"'self' {form_target}".strip()
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action {form_action}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    response.headers["X-Frame-Options"] = "DENY"
    _protect(response)
    return response


def error_page(message: str, *, status: int = 400) -> HTMLResponse:
    return render_page("error", status=status, message=message)


def redirect(location: str) -> RedirectResponse:
    """303: the browser must not send a form with a password on (RFC 9700 §4.12). `location` is encoded already."""
    response = RedirectResponse("", 303)
    response.headers["Location"] = location
    _protect(response)
    return response


def _protect(response: HTMLResponse | RedirectResponse) -> None:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
