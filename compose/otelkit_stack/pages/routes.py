"""``/``, ``/traces/{id}`` and the style sheet."""

from __future__ import annotations

import time
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from otelkit_stack.pages.html import Markup, document, element
from otelkit_stack.pages.overview import WINDOW_S, overview_page
from otelkit_stack.pages.trace import trace_page
from otelkit_stack.queries import Queries

_HEADERS = {
    # The page needs no script, so none may run, whatever a span is called. Indents are styles of elements.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; style-src-attr 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def page_routes(queries: Queries) -> list[Route]:
    """Routes of the page."""
    style = files("otelkit_stack.pages").joinpath("style.css").read_text(encoding="utf-8")

    def overview(_request: Request) -> Response:
        since_ns = time.time_ns() - WINDOW_S * 1_000_000_000
        return _page(overview_page(queries.services(), queries.red(since_ns), queries.newest_traces()))

    def trace(request: Request) -> Response:
        trace_id = request.path_params["trace_id"]
        found = queries.trace(trace_id)
        if found is None:
            sentence = f"Trace {trace_id} is not known here. It may not have arrived yet, or be too old."
            return _page(document("No such trace", element("p", sentence)), 404)
        return _page(trace_page(found))

    async def style_sheet(_request: Request) -> Response:
        return Response(style, media_type="text/css", headers={"X-Content-Type-Options": "nosniff"})

    return [Route("/", overview), Route("/traces/{trace_id}", trace), Route("/style.css", style_sheet)]


def _page(page: Markup, status: int = 200) -> Response:
    return HTMLResponse(page, status, _HEADERS)
