"""Who gets which token: a service shows its credential, and gets what is granted to it for one audience."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from uuid import uuid4

import structlog

from otelkit_demo.chassis import flags
from otelkit_demo.chassis.tokens import ISSUER, credential
from otelkit_demo.gateway import keys

log = structlog.get_logger(__name__)

GRANTS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "gateway": {"orders": frozenset({"orders:read", "orders:write"})},
    "orders": {
        "inventory": frozenset({"inventory:write"}),
        "payments": frozenset({"payments:write"}),
    },
    # Whoever looks after the shop by hand, and the tests.
    "operator": {
        "orders": frozenset({"orders:read", "orders:write"}),
        "inventory": frozenset({"inventory:write"}),
        "payments": frozenset({"payments:write"}),
    },
}
"""Client, audience, scopes: what is not here is nobody's."""


class RefusedError(Exception):
    """No token. ``code`` is one of RFC 6749 section 5.2, and ``status`` goes with it."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


def issue(client: str, secret: str, audience: str, scope: str) -> str:
    """A token for a service that showed its credential. Raises RefusedError."""
    if client not in GRANTS or not hmac.compare_digest(secret.encode(), credential(client).encode()):
        log.warning("token refused", reason="invalid_client")
        raise RefusedError(401, "invalid_client", "The client is unknown, or its secret is wrong.")
    granted = GRANTS[client].get(audience)
    if granted is None:
        log.warning("token refused", reason="invalid_target", client=client)
        raise RefusedError(400, "invalid_target", f"{client} has nothing to ask of this audience.")
    wanted = frozenset(scope.split()) or granted
    if not wanted <= granted:
        log.warning("token refused", reason="invalid_scope", client=client, audience=audience)
        raise RefusedError(400, "invalid_scope", f"{client} may have {' '.join(sorted(granted))} for {audience}.")
    token = mint(client, audience, " ".join(sorted(wanted)))
    log.info("token issued", client=client, audience=audience)
    return token


def mint(client: str, audience: str, scope: str) -> str:
    """A token, as ``issue`` gives it: for the gateway's own calls, too."""
    now = int(time.time())
    # The fault: a clock that is an hour late, whose tokens have expired when they are signed.
    issued = now - 3600 if flags.hits("auth.expired_keys") else now
    claims = {"iss": ISSUER, "sub": client, "aud": audience, "scope": scope, "iat": issued, "exp": issued + keys.TOKEN_SECONDS}
    return keys.sign({**claims, "jti": uuid4().hex})
