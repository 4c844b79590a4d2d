"""Who is let in: log-ins, tokens, permissions and CSRF."""

from __future__ import annotations

from otelkit.catalog.labels import HTTP_ROUTE
from otelkit.catalog.labels.model import Label
from otelkit.catalog.metrics.model import Kind, Metric

AUTH_METHOD = Label("method", "How somebody wanted to prove who they are, like `password` or `oidc`. Ours.")
AUTH_OUTCOME = Label("outcome", "Whether it was believed. Ours.", ("ok", "failed"))
AUTH_REASON = Label("reason", "Why not; absent where it was. Ours.")
AUTH_ISSUER = Label("issuer", "Who issued the token, of those that the settings know. Ours.")

AUTH_ATTEMPTS = Metric("auth.attempts", Kind.COUNTER, "{attempt}", "Attempts to log in.", (AUTH_METHOD, AUTH_OUTCOME, AUTH_REASON))
AUTH_TOKENS_VALIDATED = Metric(
    "auth.tokens.validated", Kind.COUNTER, "{token}", "Tokens that came with a request.", (AUTH_ISSUER, AUTH_OUTCOME, AUTH_REASON)
)
AUTH_JWKS_REFRESHES = Metric("auth.jwks.refreshes", Kind.COUNTER, "{refresh}", "Times that an issuer's keys were fetched.", (AUTH_OUTCOME,))
PERMISSION_DENIED = Metric(
    "permission.denied", Kind.COUNTER, "{request}", "Requests refused because their user may not do that.", (HTTP_ROUTE,)
)
CSRF_FAILURES = Metric("csrf.failures", Kind.COUNTER, "{request}", "Requests refused by Django's protection against CSRF.")
