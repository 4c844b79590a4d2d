"""Asks the project itself, through every middleware, without a socket."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.http.response import HttpResponseBase
from django.test import Client


def ask(path: str, headers: Mapping[str, str]) -> HttpResponseBase:
    """The project's answer to a GET. Raises what its middleware raises; what a view raises is a 500."""
    allowed = [host for host in settings.ALLOWED_HOSTS if "*" not in host]
    host = allowed[0].lstrip(".") if allowed else "localhost"
    extra: dict[str, str] = {}
    if settings.SECURE_PROXY_SSL_HEADER:  # as the proxy in front says it, or a project that insists on https would only redirect
        name, value = settings.SECURE_PROXY_SSL_HEADER
        extra[name] = value
    client = Client(raise_request_exception=False)
    return client.get(path, headers={"host": host, **headers}, secure=bool(settings.SECURE_SSL_REDIRECT), **extra)  # type: ignore[arg-type]
