"""Access: log-ins, tokens, permissions and CSRF."""

from __future__ import annotations

from otelkit.catalog import labels as l
from otelkit.catalog.metrics.model import Kind, Metric

AUTH_ATTEMPTS = Metric("auth.attempts", Kind.COUNTER, "{attempt}", "Attempts to log in.", (l.AUTH_METHOD, l.AUTH_OUTCOME, l.AUTH_REASON))
AUTH_TOKENS_VALIDATED = Metric(
    "auth.tokens.validated", Kind.COUNTER, "{token}", "Tokens that came with a request.", (l.AUTH_ISSUER, l.AUTH_OUTCOME, l.AUTH_REASON)
)
AUTH_JWKS_REFRESHES = Metric(
    "auth.jwks.refreshes", Kind.COUNTER, "{refresh}", "Times that an issuer's keys were fetched.", (l.AUTH_OUTCOME,)
)
PERMISSION_DENIED = Metric(
    "permission.denied", Kind.COUNTER, "{request}", "Requests refused because their user may not do that.", (l.HTTP_ROUTE,)
)
CSRF_FAILURES = Metric("csrf.failures", Kind.COUNTER, "{request}", "Requests refused by Django's protection against CSRF.")
