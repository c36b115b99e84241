"""The page at `/` without the console: links to the documentation, the readiness and the progress of the console's
build, as HTML for browsers and JSON for clients."""

import html

from starlette.responses import HTMLResponse, JSONResponse, Response

from stockbuddy.gateway.console.site import BuildProgress

LINKS = {"guide": "/guide", "docs": "/docs", "redoc": "/redoc", "openapi": "/openapi.json", "health": "/health/ready"}
RELOAD_SECONDS = 1
_LABELS = {
    "guide": "Guide: quick starts for developers and operators",
    "docs": "API documentation, with requests to try out",
    "redoc": "API reference",
    "openapi": "OpenAPI document",
    "health": "Readiness",
}
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<meta name="viewport" content="width=device-width, initial-scale=1">{reload}<title>Stockbuddy</title></head>
<body>
<h1>Stockbuddy</h1>
<p>Inventory for shops and warehouses. Status: <strong>{status}</strong></p>
{console}<ul>
{items}
</ul>
</body>
</html>
"""
_RELOAD = f'<meta http-equiv="refresh" content="{RELOAD_SECONDS}">'
_BUILDING = """<p role="status">The console is being built: {step}. This page reloads itself until the console appears.
Everything else is ready to use.</p>
"""
_FAILED = """<p role="alert">The console could not be built: {reason}</p>
<p>Everything else works. Restart the system to try again.</p>
"""


def home_page(accept: str, path_prefix: str, status: str, progress: BuildProgress | None = None) -> Response:
    """`accept`: the client's `Accept` header. `path_prefix`: the path under which a proxy publishes the gateway.
    `progress`: of the console's build, if one was started."""
    links = {name: path_prefix + path for name, path in LINKS.items()}
    headers = {"Vary": "Accept", "Cache-Control": "no-store"}
    if "text/html" not in accept:
        return JSONResponse({"name": "Stockbuddy", "status": status, "links": links}, headers=headers)
    items = "\n".join(f'<li><a href="{path}">{_LABELS[name]}</a></li>' for name, path in links.items())
    reload = _RELOAD if progress is not None and progress.state == "building" else ""
    page = _PAGE.format(status=status, items=items, reload=reload, console=_console_lines(progress))
    return HTMLResponse(page, headers=headers)


def _console_lines(progress: BuildProgress | None) -> str:
    if progress is None:
        return ""
    if progress.state == "building":
        return _BUILDING.format(step=html.escape(progress.step))
    return _FAILED.format(reason=html.escape(progress.reason))
