"""`/docs` and `/redoc`. Their scripts come from an installed package, so they work without internet access."""

import base64
import hashlib
import re
from pathlib import Path

import fastapi_offline
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from starlette.responses import FileResponse, HTMLResponse, Response

ASSETS_PATH = "/docs/assets/"
ASSETS = frozenset({"favicon.png", "redoc.standalone.js", "swagger-ui-bundle.js", "swagger-ui.css"})
_DIRECTORY = Path(fastapi_offline.__file__).parent / "static"
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def swagger_page(path_prefix: str) -> HTMLResponse:
    """`path_prefix`: the path under which a proxy publishes the gateway."""
    page = get_swagger_ui_html(
        openapi_url=path_prefix + "/openapi.json",
        title="Stockbuddy API",
        swagger_js_url=path_prefix + ASSETS_PATH + "swagger-ui-bundle.js",
        swagger_css_url=path_prefix + ASSETS_PATH + "swagger-ui.css",
        swagger_favicon_url=path_prefix + ASSETS_PATH + "favicon.png",
        # The validator's badge comes from an external server, which the content security policy blocks.
        swagger_ui_parameters={
            "validatorUrl": None,
            "persistAuthorization": True,
            "docExpansion": "none",
            "deepLinking": True,
            "filter": True,
            "tryItOutEnabled": True,
        },
    )
    return _with_content_policy(page)


def redoc_page(path_prefix: str) -> HTMLResponse:
    page = get_redoc_html(
        openapi_url=path_prefix + "/openapi.json",
        title="Stockbuddy API",
        redoc_js_url=path_prefix + ASSETS_PATH + "redoc.standalone.js",
        redoc_favicon_url=path_prefix + ASSETS_PATH + "favicon.png",
        with_google_fonts=False,
    )
    return _with_content_policy(page)


def find_asset(name: str) -> Response | None:
    if name not in ASSETS:
        return None
    return FileResponse(_DIRECTORY / name, headers={"Cache-Control": "public, max-age=86400"})


def _with_content_policy(page: HTMLResponse) -> HTMLResponse:
    """Adds a content security policy that allows only our assets and, by hash, the page's inline scripts."""
    scripts = _INLINE_SCRIPT.findall(bytes(page.body))
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in scripts)
    page.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self' data:; connect-src 'self'; worker-src blob:; frame-ancestors 'none'; base-uri 'none'"
    )
    return page
