"""The three addresses that Kubernetes and load balancers ask, as views."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from otelkit.metrics.access import is_admitted
from otelkit.patterns.health.checks import Check, database, migrations
from otelkit.patterns.health.probe import FRESH, Probe, Report

View = Callable[..., HttpResponseBase]


def urls(
    *,
    live: Iterable[Check] = (),
    ready: Iterable[Check] | None = None,
    startup: Iterable[Check] | None = None,
    token: str = "",
    fresh_for: float = FRESH,
) -> list[URLPattern]:
    """Patterns for ``livez``, ``readyz`` and ``startupz``: 200 where every required check passes, else 503.

    Without a choice ``ready`` asks the default database and ``startup`` its migrations, where the project has one; ``live`` asks nothing,
    because a restart mends no database. What each check said is shown to who sends ``token`` as a bearer token; without a token, to who
    asks from this machine. Raises ValueError where two checks of a probe have one name.
    """
    has_database = settings.DATABASES.get(DEFAULT_DB_ALIAS, {}).get("ENGINE", "") not in ("", "django.db.backends.dummy")
    if ready is None:
        ready = (database(),) if has_database else ()
    if startup is None:
        startup = (migrations(),) if has_database else ()
    return [
        path("livez", view(Probe(live, fresh_for=fresh_for), token=token), name="livez"),
        path("readyz", view(Probe(ready, fresh_for=fresh_for), token=token), name="readyz"),
        path("startupz", view(Probe(startup, fresh_for=fresh_for, latched=True), token=token), name="startupz"),
    ]


def view(probe: Probe, *, token: str = "") -> View:
    """A view that answers for the probe."""

    @require_safe
    def health(request: HttpRequest) -> JsonResponse:
        report = probe.ask()
        meta = request.META
        knows = is_admitted(
            token, str(meta.get("HTTP_AUTHORIZATION", "")), str(meta.get("REMOTE_ADDR", "")), is_forwarded="HTTP_X_FORWARDED_FOR" in meta
        )
        body = _details(report) if knows else {"status": _word(report.ok)}
        return JsonResponse(body, status=200 if report.ok else 503, headers={"Cache-Control": "no-store"})

    return health


def _details(report: Report) -> dict[str, Any]:
    checks: dict[str, Any] = {}
    for check, result in report.results:
        said: dict[str, Any] = {"status": _word(result.ok), "duration_ms": round(result.duration * 1000, 1)}
        if result.reason:
            said["reason"] = result.reason
        if not check.required:
            said["required"] = False
        checks[check.name] = said | {"age_s": round(max(report.at - result.at, 0.0), 1)}
    return {"status": _word(report.ok), "checks": checks}


def _word(ok: bool) -> str:
    return "ok" if ok else "failed"
