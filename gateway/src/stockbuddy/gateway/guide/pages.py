"""The pages of the guide, and their frame with the navigation."""

from functools import cache
from html import escape
from pathlib import Path

from starlette.responses import HTMLResponse, Response

from stockbuddy.chassis.runtime.packaged import folder_beside
from stockbuddy.gateway.guide.markdown import highlighting_styles, render

GUIDE_PATH = "/guide/"
STYLES_NAME = "guide.css"
DOCS = folder_beside(__file__, "docs", Path(__file__).resolve().parents[5] / "docs")
"""In the repository, whose layout the image has as well, or in the package."""
PAGES = {
    "": "guide/index.md",
    "web-frontend": "guide/web-frontend.md",
    "till": "guide/till.md",
    "event-consumer": "guide/event-consumer.md",
    "operator": "guide/operator.md",
    "errors": "guide/errors.md",
    "pagination": "guide/pagination.md",
    "retries": "guide/retries.md",
    "webhooks": "guide/webhooks.md",
    "permissions": "guide/permissions.md",
    "conventions": "api.md",
    "events": "events.md",
    "imports": "imports.md",
    "glossary": "guide/glossary.md",
}
"""Files in docs/ by name, in the order of the navigation."""
_NAMES = {file: name for name, file in PAGES.items()}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "public, max-age=300",
}
_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} | Stockbuddy</title>
<link rel="stylesheet" href="{prefix}guide.css">
</head>
<body>
<nav aria-label="Guide"><ul>
{links}
</ul></nav>
<main>
{content}
</main>
</body>
</html>
"""


def find_page(name: str, path_prefix: str) -> Response | None:
    """A page, or the style sheet. `path_prefix`: the path under which a proxy publishes the gateway."""
    if name == STYLES_NAME:
        return Response(_styles(), media_type="text/css", headers=_HEADERS)
    if name not in PAGES or not (DOCS / PAGES[name]).exists():
        return None
    return HTMLResponse(_page(name, path_prefix + GUIDE_PATH), headers=_HEADERS)


@cache
def _styles() -> str:
    return Path(__file__).with_name(STYLES_NAME).read_text(encoding="utf-8") + highlighting_styles()


def _page(name: str, prefix: str) -> str:
    title, content = _rendered(name, prefix)
    links = "\n".join(_navigation_link(other, prefix, is_current=other == name) for other in PAGES)
    return _FRAME.format(title=escape(title), prefix=escape(prefix), links=links, content=content)


def _navigation_link(name: str, prefix: str, *, is_current: bool) -> str:
    current = ' aria-current="page"' if is_current else ""
    return f'<li><a href="{escape(prefix + name)}"{current}>{escape(_title(name))}</a></li>'


@cache
def _title(name: str) -> str:
    first_line = (DOCS / PAGES[name]).read_text(encoding="utf-8").partition("\n")[0]
    title = first_line.removeprefix("# ").removeprefix("Quick start: ")
    return title[0].upper() + title[1:]


def _rendered(name: str, prefix: str) -> tuple[str, str]:
    def find_url(file: str) -> str | None:
        return prefix + _NAMES[file] if file in _NAMES else None

    return render((DOCS / PAGES[name]).read_text(encoding="utf-8"), PAGES[name], find_url)
