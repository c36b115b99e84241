"""The page at `/`: links to the documentation and shows the readiness, as HTML for browsers and JSON for clients."""

from starlette.responses import HTMLResponse, JSONResponse, Response

LINKS = {"guide": "/guide", "docs": "/docs", "redoc": "/redoc", "openapi": "/openapi.json", "health": "/health/ready"}
_LABELS = {
    "guide": "Guide: quick starts for developers and operators",
    "docs": "API documentation, with requests to try out",
    "redoc": "API reference",
    "openapi": "OpenAPI document",
    "health": "Readiness",
}
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Stockbuddy</title></head>
<body>
<h1>Stockbuddy</h1>
<p>Inventory for shops and warehouses. Status: <strong>{status}</strong></p>
<ul>
{items}
</ul>
</body>
</html>
"""


def home_page(accept: str, path_prefix: str, status: str) -> Response:
    """`accept`: the client's `Accept` header. `path_prefix`: the path under which a proxy publishes the gateway."""
    links = {name: path_prefix + path for name, path in LINKS.items()}
    headers = {"Vary": "Accept"}
    if "text/html" not in accept:
        return JSONResponse({"name": "Stockbuddy", "status": status, "links": links}, headers=headers)
    items = "\n".join(f'<li><a href="{path}">{_LABELS[name]}</a></li>' for name, path in links.items())
    return HTMLResponse(_PAGE.format(status=status, items=items), headers=headers)
