"""The page at /, the reference of the API at /docs, and their files at /web.

plotly.js is the one that the plotly package ships, Swagger UI the one of fastapi-offline: nothing comes from elsewhere.
None of these holds data, so none asks for a key: the page asks for it itself, and sends it with what it reads.
"""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles

_WEB = Path(__file__).parents[2] / "web"
#: Nothing from elsewhere and no script in the markup. Plotly writes style elements of its own, and pictures of charts.
_CONTENT_SECURITY_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class _Files(StaticFiles):
    """Files that a browser asks for again by their ETag, so that those of two versions never meet in one page."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        response = super().file_response(*arguments, **options)
        response.headers["Cache-Control"] = "no-cache"
        return response


def install(app: FastAPI) -> None:
    """Serve the page. These routes pass by the dependencies of ``app``, its check of keys among them."""
    app.add_route("/", _index, include_in_schema=False)
    app.add_route("/docs", _reference, include_in_schema=False)
    app.mount("/web/plotly", _Files(packages=[("plotly", "package_data")]), name="plotly")
    app.mount("/web/swagger-ui", _Files(packages=[("fastapi_offline", "static")]), name="swagger-ui")
    app.mount("/web", _Files(directory=_WEB), name="web")


async def _index(request: Request) -> FileResponse:
    return _page("index.html")


async def _reference(request: Request) -> FileResponse:
    return _page("docs.html")


def _page(name: str) -> FileResponse:
    headers = {"Content-Security-Policy": _CONTENT_SECURITY_POLICY, "Cache-Control": "no-cache"}
    return FileResponse(_WEB / name, headers=headers)
