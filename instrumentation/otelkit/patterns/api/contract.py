"""Messages against the OpenAPI schema: JSON bodies of requests and answers, and statuses that nobody documented.

Answers are never changed, and no value of a message is recorded: only the place in the schema that it broke. Ours, on jsonschema, because
openapi-core brings twenty packages, finds operations by the server's address, which a proxy changes, and reads a body that the view has
taken already.
"""

from __future__ import annotations

import json
import logging
import random
import re
from pathlib import Path
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from otelkit.patterns.api.recording import violated
from otelkit.patterns.api.schema import Contract, Reader
from otelkit.request.routes import route_of

logger = logging.getLogger("otelkit.api")

_JSON = re.compile(r"application/(?:[\w.+-]*\+)?json", re.ASCII)
_MOST_REMEMBERED = 1000


class ContractMiddleware:
    """Compares a ``share`` of the traffic with ``schema``. Subclass it to say which. Needs ``pip install 'otelkit[contract]'``.

    A schema that cannot be read is one error in the log, and the middleware is not used.
    """

    sync_capable = True
    async_capable = True

    schema: str | Path | dict[str, Any] = ""
    """The OpenAPI document (3.0 or 3.1), or its file: JSON, or YAML where PyYAML is installed."""
    share = 1.0
    """From 0 to 1."""
    largest = 262_144
    """Bytes of a body; a larger one is not read."""

    def __init__(self, get_response: Any) -> None:
        try:
            self._contract = Contract(_document(self.schema))
        except Exception as error:
            logger.exception("The schema of %s cannot be used; its traffic is not compared.", type(self).__qualname__)
            raise MiddlewareNotUsed(f"{type(self).__qualname__}.schema cannot be used") from error
        self.get_response = get_response
        self._said: set[tuple[str, ...]] = set()
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        body = self._body(request)
        if self._is_async:
            return self._answer_async(request, body)
        response = self.get_response(request)
        if body is not None:
            self._compare(request, body, response)
        return response

    async def _answer_async(self, request: HttpRequest, body: bytes | None) -> HttpResponseBase:
        response: HttpResponseBase = await self.get_response(request)
        if body is not None:
            self._compare(request, body, response)
        return response

    def _body(self, request: HttpRequest) -> bytes | None:
        """The body, read before a view may take it as a stream, empty for what is no JSON; None where this request is not compared."""
        if random.random() >= self.share:  # noqa: S311  (no secret)
            return None
        length = str(request.META.get("CONTENT_LENGTH") or "0")
        if not _is_json(request.META.get("CONTENT_TYPE", "")) or not length.isdigit() or not 0 < int(length[:12]) <= self.largest:
            return b""
        try:
            return request.body
        except Exception:  # noqa: BLE001  (a body that ends too early is Django's to refuse)
            return None

    def _compare(self, request: HttpRequest, body: bytes, response: HttpResponseBase) -> None:
        try:
            route = route_of(request)
            operation = self._contract.operation(request.method or "", route) if route else None
            if route is None or operation is None:
                return
            if body and (where := _problem(operation.takes, body)):
                self._say(route, "request", request.method or "", where)
            known, read = operation.answer(response.status_code)
            if not known:
                self._say(route, "response", request.method or "", f"responses/{response.status_code}")
            elif isinstance(response, HttpResponse) and _is_json(response.get("Content-Type", "")):
                content = response.content
                if len(content) <= self.largest and (where := _problem(read, content)):
                    self._say(route, "response", request.method or "", where)
        except Exception as error:  # noqa: BLE001  (a schema may refer to nothing, a library may fail; the answer is there)
            if len(self._said) < _MOST_REMEMBERED and (key := ("failed", type(error).__name__)) not in self._said:
                self._said.add(key)
                logger.warning("A message could not be compared with the schema: %s.", type(error).__name__)

    def _say(self, route: str, direction: str, method: str, where: str) -> None:
        violated(route, direction, where)
        key = (method, route, direction, where)
        if key not in self._said and len(self._said) < _MOST_REMEMBERED:
            self._said.add(key)
            logger.warning("A %s of %s %s is not what the schema allows, at %s. (said once)", direction, method, route, where)


def _is_json(content_type: str) -> bool:
    return _JSON.fullmatch(content_type.partition(";")[0].strip().lower()) is not None


def _problem(read: Reader | None, text: bytes) -> str:
    if read is None:
        return ""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return "no JSON"
    return read(message)


def _document(given: str | Path | dict[str, Any]) -> dict[str, Any]:
    if isinstance(given, dict):
        return given
    text = Path(given).read_text(encoding="utf-8")
    if str(given).endswith((".yaml", ".yml")):
        import yaml

        read: Any = yaml.safe_load(text)
    else:
        read = json.loads(text)
    if not isinstance(read, dict):
        raise TypeError(f"{given} holds no OpenAPI document.")
    return read
