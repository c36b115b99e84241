"""The built console in a directory: `index.html` with placeholders, and files with a hash in their names, each also
compressed beforehand. A directory that is replaced during operation takes effect with the next request."""

import html
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse, Response

from stockbuddy.gateway.errors import UnknownPath
from stockbuddy.gateway.request import GatewayRequest

FILES_PATH = "/console/"
"""In front of the files, which `Compression` passes by because they are compressed already."""
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'{files} 'wasm-unsafe-eval'; style-src 'self'{files} 'nonce-{nonce}'; "
    "img-src 'self'{cdn} data: blob:; connect-src 'self'{files}; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
SERVICE_WORKER_PATH = "/service-worker.js"
"""In the root, because a service worker controls the pages beside and below itself."""
SERVICE_WORKER_POLICY = "default-src 'none'; connect-src 'self'{files}"
IMMUTABLE = "public, max-age=31536000, immutable"
ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}
"""Pages load modules from a CDN, which is another origin, with CORS."""
_RESERVED = frozenset({"api", "docs", "redoc", "openapi.json", "guide", "health", "metrics", ".well-known"})
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """What the build of the console has written to `progress.json`. `reason`: why it failed, for people."""

    state: Literal["building", "failed"]
    step: str
    reason: str = ""


@dataclass(slots=True)
class ConsoleSite:
    """`directory` has the built console in `site`, and `progress.json` while it is being built. `cdn_url`: from where
    pages load its files; "" for the gateway itself."""

    directory: Path
    cdn_url: str = ""
    _page: tuple[int, str] = field(default=(0, ""), init=False)

    def is_page(self, request: GatewayRequest) -> bool:
        """Whether a browser opens a path that may be a page of the console."""
        segment = request.path.split("/", 2)[1]
        return request.method in ("GET", "HEAD") and segment not in _RESERVED and accepts_html(request)

    def find_page(self, request: GatewayRequest) -> Response | None:
        """The page with a new nonce; None if the console is not built."""
        page = self._load_page()
        if page is None:
            return None
        nonce = secrets.token_urlsafe(18)
        prefix = html.escape(request.origin.path_prefix)
        text = page.replace("__CSP_NONCE__", nonce).replace("__PATH_PREFIX__", prefix)
        text = text.replace('"./', f'"{self.cdn_url}{prefix}/')
        policy = CONTENT_SECURITY_POLICY.format(nonce=nonce, **self._sources(prefix))
        return HTMLResponse(
            text, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store", "Vary": "Accept"}
        )

    def get_file(self, request: GatewayRequest) -> Response:
        """A file, in the smallest form that the client accepts. Raises UnknownPath."""
        name = request.path.rpartition(FILES_PATH)[2]
        path = self.directory / "site" / FILES_PATH.strip("/") / name
        media_type = _MEDIA_TYPES.get(path.suffix)
        if "/" in name or media_type is None or not path.is_file():
            raise UnknownPath
        headers = {"Cache-Control": IMMUTABLE, "Vary": "Accept-Encoding", **ANY_ORIGIN}
        accepted = {
            token.partition(";")[0].strip()
            for token in _header(request, "accept-encoding").split(",")
            if "q=0" not in token
        }
        for encoding, suffix in _ENCODINGS:
            compressed = path.with_name(name + suffix)
            if encoding in accepted and compressed.is_file():
                return FileResponse(
                    compressed, media_type=media_type, headers={**headers, "Content-Encoding": encoding}
                )
        return FileResponse(path, media_type=media_type, headers=headers)

    def get_service_worker(self, request: GatewayRequest) -> Response:
        """Browsers ask for it at each visit, so that they learn of a new version. Raises UnknownPath."""
        try:
            text = (self.directory / "site" / SERVICE_WORKER_PATH.strip("/")).read_text(encoding="utf-8")
        except OSError:
            raise UnknownPath from None
        prefix = request.origin.path_prefix
        folder = f"{self.cdn_url}{prefix}{FILES_PATH}" if self.cdn_url else FILES_PATH.removeprefix("/")
        policy = SERVICE_WORKER_POLICY.format(**self._sources(prefix))
        headers = {"Cache-Control": "no-cache", "Content-Security-Policy": policy}
        return Response(text.replace("__FILES_URL__", folder), media_type=_MEDIA_TYPES[".js"], headers=headers)

    def find_progress(self) -> BuildProgress | None:
        """The progress of the build; None if none has been started."""
        try:
            values = json.loads((self.directory / "progress.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        state: Literal["building", "failed"] = "failed" if values.get("state") == "failed" else "building"
        return BuildProgress(state, str(values.get("step", "")), str(values.get("reason", "")))

    def _sources(self, prefix: str) -> dict[str, str]:
        """What content security policies allow in addition to the page's origin: the CDN, and its folder of files."""
        if not self.cdn_url:
            return {"cdn": "", "files": ""}
        return {"cdn": f" {self.cdn_url}{prefix}/", "files": f" {self.cdn_url}{prefix}{FILES_PATH}"}

    def _load_page(self) -> str | None:
        path = self.directory / "site" / "index.html"
        try:
            changed_at = path.stat().st_mtime_ns
            if changed_at != self._page[0]:
                self._page = (changed_at, path.read_text(encoding="utf-8"))
        except OSError:
            return None
        return self._page[1]


def accepts_html(request: GatewayRequest) -> bool:
    return "text/html" in _header(request, "accept")


def _header(request: GatewayRequest, name: str) -> str:
    return Headers(scope=request.scope).get(name, "")
