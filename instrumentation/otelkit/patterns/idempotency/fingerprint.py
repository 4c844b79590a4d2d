"""What a request asks for, as a short text: two that differ have different ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.http import HttpRequest, RawPostDataException


def fingerprint(request: HttpRequest) -> str:
    """What the request asks for. Of an upload that a middleware has read already, its fields, and the names and sizes of its files."""
    try:
        body = request.body
    except RawPostDataException:
        fields = [(name, request.POST.getlist(name)) for name in sorted(request.POST)]
        files = [(name, [(file.name, file.size) for file in request.FILES.getlist(name)]) for name in sorted(request.FILES)]
        body = repr((fields, files)).encode("utf-8", "surrogatepass")
    kind = (request.content_type or "").partition(";")[0]  # the rest may be a boundary that is new each time
    return digest(request.get_full_path(), kind, body)


def addressee(request: HttpRequest, scope: Callable[[HttpRequest], str]) -> tuple[str, ...]:
    """Whose key it is, and for what: the same key elsewhere is another one."""
    return scope(request), str(request.META.get("HTTP_HOST", "")), request.method or "", request.path


def digest(*parts: str | bytes) -> str:
    """One text for all of them."""
    # Each with its length, so that no two requests are one text.
    found = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        found.update(len(raw).to_bytes(8, "big") + raw)
    return found.hexdigest()
