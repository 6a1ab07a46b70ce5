"""The page's own files, read once, and what every answer of the server has in common."""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/api": ("api.html", "text/html; charset=utf-8"),
    "/api.js": ("api.js", "text/javascript; charset=utf-8"),
    "/api/openapi.json": ("openapi.json", "application/json"),
}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class PageFiles:
    """What a browser is given, by its path."""

    def __init__(self) -> None:
        self._files = {path: (_file(name), kind) for path, (name, kind) in PAGE.items()}
        self._asking = _file("token.html")

    def answer(self, path: str) -> Response:
        """Return one of :data:`PAGE`."""
        data, kind = self._files[path]
        return Response(data, media_type=kind, headers=HEADERS)

    def ask_for_token(self) -> Response:
        """Return a page that asks for the token."""
        return Response(self._asking, 401, media_type="text/html; charset=utf-8", headers=HEADERS)


def error(status: int, reason: str) -> Response:
    """Return why not."""
    return JSONResponse({"error": reason}, status, headers=HEADERS)


def for_people(request: Request) -> bool:
    """Tell whether a browser asks for a page to show."""
    return "text/html" in request.headers.get("accept", "")


def _file(name: str) -> bytes:
    return files("neuroclip_live.server").joinpath("page", name).read_bytes()
