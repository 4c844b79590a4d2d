"""What Django says of log-ins, permissions and CSRF, heard while the kit runs.

Log-ins have signals. Of a refused request Django tells its own loggers alone, once each and in sync and async projects alike, so a filter
that lets everything pass listens there: a handler would hide what the last resort prints, and a middleware sees no refusal of another one.
Where those loggers are silenced below WARNING, nothing is heard.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from opentelemetry import trace

from otelkit.catalog.labels import UNMATCHED_ROUTE
from otelkit.patterns.auth.recording import attempted, csrf_failed, permission_denied
from otelkit.request.routes import route_of


def follow_django() -> Callable[[], None]:
    """Listens from now on; what comes back ends it."""
    from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

    uid = "otelkit"
    user_logged_in.connect(_logged_in, dispatch_uid=uid)
    user_logged_out.connect(_logged_out, dispatch_uid=uid)
    user_login_failed.connect(_login_failed, dispatch_uid=uid)
    listening = ((logging.getLogger("django.request"), _Refusals()), (logging.getLogger("django.security.csrf"), _CsrfFailures()))
    for logger, each in listening:
        logger.addFilter(each)

    def end() -> None:
        for signal in (user_logged_in, user_logged_out, user_login_failed):
            signal.disconnect(dispatch_uid=uid)
        for logger, each in listening:
            logger.removeFilter(each)

    return end


def _logged_in(user: Any = None, **_: Any) -> None:
    with suppress(Exception):  # Django lets a receiver's exception through to who logs in
        attempted(_method(str(getattr(user, "backend", ""))))


def _login_failed(credentials: Any = None, **_: Any) -> None:
    with suppress(Exception):
        attempted("password" if "password" in (credentials or ()) else "other", "credentials")


def _logged_out(**_: Any) -> None:
    with suppress(Exception):
        trace.get_current_span().add_event("auth.logged_out")


def _method(backend: str) -> str:
    """A few words: the class of the backend that believed it, and ``password`` for Django's own."""
    name = backend.rpartition(".")[2].removesuffix("Backend")
    return {"Model": "password", "AllowAllUsersModel": "password", "RemoteUser": "remote_user", "": "other"}.get(name, name)


class _Refusals(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        with suppress(Exception):
            extra = vars(record)
            if extra.get("status_code") == 403:
                permission_denied(route_of(extra["request"]) or UNMATCHED_ROUTE)
        return True


class _CsrfFailures(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  (the signature of logging)
        with suppress(Exception):
            csrf_failed()
        return True
