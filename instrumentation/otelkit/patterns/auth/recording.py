"""What any implementation calls: metrics, and an event on the current span where somebody is refused. Nothing here raises."""

from __future__ import annotations

from contextlib import suppress

from opentelemetry import trace

from otelkit.catalog.labels import HTTP_ROUTE
from otelkit.catalog.metrics import AUTH_ATTEMPTS, AUTH_JWKS_REFRESHES, AUTH_TOKENS_VALIDATED, CSRF_FAILURES, PERMISSION_DENIED
from otelkit.metrics import business

_attempts = business.recorder(business.BusinessCounter, AUTH_ATTEMPTS)
_tokens = business.recorder(business.BusinessCounter, AUTH_TOKENS_VALIDATED)
_refreshes = business.recorder(business.BusinessCounter, AUTH_JWKS_REFRESHES)
_denied = business.recorder(business.BusinessCounter, PERMISSION_DENIED)
_csrf = business.recorder(business.BusinessCounter, CSRF_FAILURES)


def attempted(method: str, reason: str | None = None) -> None:
    """Somebody tried to log in by ``method`` (``password``, ``oidc``, ...); with a ``reason`` it did not succeed."""
    _attempts.add(1, method=method, outcome=_outcome(reason), reason=reason)
    if reason is not None:
        _note("auth.failed", reason)


def token_validated(issuer: str | None, reason: str | None = None) -> None:
    """A token came with a request; with a ``reason`` it was refused. ``issuer`` is one of those that the settings know, or None."""
    _tokens.add(1, issuer=issuer, outcome=_outcome(reason), reason=reason)
    if reason is not None:
        _note("auth.token.rejected", reason)


def keys_refreshed(*, ok: bool) -> None:
    """The keys of an issuer were fetched, or could not be."""
    _refreshes.add(1, outcome="ok" if ok else "failed")


def permission_denied(route: str | None) -> None:
    """A request was refused because of who sent it. ``route`` is the pattern that matched, never a path."""
    _denied.add(1, **{HTTP_ROUTE.name: route})


def csrf_failed() -> None:
    """A request was refused by the protection against CSRF."""
    _csrf.add(1)


def _outcome(reason: str | None) -> str:
    return "ok" if reason is None else "failed"


def _note(event: str, reason: str) -> None:
    with suppress(Exception):  # the span may be the project's own
        trace.get_current_span().add_event(event, {"reason": reason})
