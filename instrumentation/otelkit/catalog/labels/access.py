"""Who is let in."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

AUTH_METHOD = Label("method", "How somebody wanted to prove who they are, like `password` or `oidc`. Ours.")
AUTH_OUTCOME = Label("outcome", "Whether it was believed. Ours.", ("ok", "failed"))
AUTH_REASON = Label("reason", "Why not; absent where it was. Ours.")
AUTH_ISSUER = Label("issuer", "Who issued the token, of those that the settings know. Ours.")
