"""Versions of an API: the headers that tell callers of an end, and who still calls.

Deprecation is RFC 9745, Sunset is RFC 8594.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import time
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import http_date

from otelkit.catalog.labels import OTHER_VALUE
from otelkit.catalog.metrics import API_SUNSET_TIME
from otelkit.metrics import business
from otelkit.metrics.aggregator import LabelValues
from otelkit.patterns.api.recording import requested

_IN_PATH = re.compile(r"/(v[0-9]{1,4})(?:/|$)")


@dataclass(frozen=True, slots=True)
class Version:
    """One version. Raises ValueError for a date without a time zone, and for an end before its announcement."""

    name: str
    deprecated: datetime | None = None
    """When it was deprecated, or will be."""
    sunset: datetime | None = None
    """When it is expected to answer no more."""
    link: str = ""
    """Where people read what to do instead."""

    def __post_init__(self) -> None:
        for word, date in (("deprecated", self.deprecated), ("sunset", self.sunset)):
            if date is not None and date.tzinfo is None:
                raise ValueError(f'Version "{self.name}": {word} needs a time zone, like datetime(2026, 7, 1, tzinfo=UTC); it is {date!r}.')
        if self.deprecated and self.sunset and self.sunset < self.deprecated:
            raise ValueError(f'Version "{self.name}" ends before it is deprecated (RFC 9745 does not allow that).')

    @property
    def is_deprecated(self) -> bool:
        """Whether it is by now."""
        return self.deprecated is not None and self.deprecated.timestamp() <= time()

    def headers(self) -> dict[str, str]:
        """What its answers say of its end."""
        found = {}
        if self.deprecated is not None:
            found["Deprecation"] = f"@{int(self.deprecated.timestamp())}"
        if self.sunset is not None:
            found["Sunset"] = http_date(self.sunset.timestamp())
        if self.link and found:
            relation = "deprecation" if self.deprecated is not None else "sunset"
            found["Link"] = f'<{self.link}>; rel="{relation}"; type="text/html"'
        return found


class VersionMiddleware:
    """Counts requests by version and client, and adds the headers of a version's end. Subclass it to say which there are."""

    sync_capable = True
    async_capable = True

    versions: tuple[Version, ...] = ()
    clients: tuple[str, ...] = ()
    """Names that callers may give themselves; any other is counted as ``_OTHER``."""
    client_header = "X-Client-Name"

    def __init__(self, get_response: Any) -> None:
        if not self.versions:
            raise MiddlewareNotUsed(f"{type(self).__qualname__}.versions is empty")
        self.get_response = get_response
        self._by_name = {version.name: version for version in self.versions}
        self._headers = {version.name: version.headers() for version in self.versions}
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        with _registering:
            _sunsets.update({version.name: version.sunset.timestamp() for version in self.versions if version.sunset is not None})

    def version_of(self, request: HttpRequest) -> str | None:
        """The version that was asked for: what Django REST framework's versioning found, or ``v1`` in the path. Yours may say more."""
        found = request.resolver_match.kwargs.get("version") if request.resolver_match else None
        if isinstance(found, str):
            return found
        in_path = _IN_PATH.search(request.path_info)
        return in_path[1] if in_path else None

    def client_of(self, request: HttpRequest) -> str:
        """Who asks, as the request says."""
        return str(request.headers.get(self.client_header, ""))

    def __call__(self, request: HttpRequest) -> Any:
        if self._is_async:
            return self._answer_async(request)
        return self._finish(request, self.get_response(request))

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        return self._finish(request, await self.get_response(request))

    def _finish(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        version = self._by_name.get(self.version_of(request) or "")
        if version is not None:
            client = self.client_of(request)
            requested(version.name, deprecated=version.is_deprecated, client=client if client in self.clients else OTHER_VALUE)
            for name, value in self._headers[version.name].items():
                # A view may know better; links add up.
                response[name] = f"{response[name]}, {value}" if name == "Link" and name in response else response.get(name, value)
        return response


_sunsets: dict[str, float] = {}
_registering = Lock()


def _observe_sunsets() -> Iterable[tuple[LabelValues, float]]:
    with _registering:
        return [((name,), at) for name, at in _sunsets.items()]


business.observed(API_SUNSET_TIME, _observe_sunsets)
