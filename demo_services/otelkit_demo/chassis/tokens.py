"""Tokens between services: how one is obtained from the gateway, and how one that comes with a request is verified.

A token says who calls (``sub``), whom (``aud``) and what for (``scope``), and lives five minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from otelkit.patterns import auth, resilience
from otelkit_demo.chassis import flags, http

if TYPE_CHECKING:
    # It imports what is named in the settings, and so this module.
    from rest_framework.views import APIView

ISSUER = "https://gateway.shop.example"
"""What ``iss`` says: a name, the same wherever the gateway runs."""

SHOP_SECRET_VARIABLE = "SHOP_SECRET"  # noqa: S105 - its name
_ON_A_LAPTOP = "not-a-secret-on-a-laptop"

EARLY_SECONDS, FLIGHT_SECONDS = 30.0, 5.0
"""A token is replaced so long before it expires, and is not sent any more so long before it."""

AGAIN_SECONDS = 2.0
"""After so long the next one is asked for again, where there was none to replace one that is still good."""


def credential(client: str) -> str:
    """What a service shows the gateway to get tokens: derived from the secret of this run, so that nothing has to be stored."""
    secret = os.environ.get(SHOP_SECRET_VARIABLE, _ON_A_LAPTOP)
    return hmac.new(secret.encode(), client.encode(), hashlib.sha256).hexdigest()


class TokenUnavailableError(Exception):
    """The gateway gave no token."""


class _Kept(NamedTuple):
    text: str
    replace_at: float
    good_until: float


_NONE = _Kept("", 0.0, 0.0)


class TokenSource:
    """Tokens for one audience, fetched when needed and kept until shortly before they expire.

    ``fetch`` gives a token and for how many seconds it is good; it raises TokenUnavailableError where it has none. Nobody waits for a new
    one, and nobody fails for the want of it, while the old one is good.
    """

    def __init__(self, fetch: Callable[[], tuple[str, float]]) -> None:
        self._fetch = fetch
        self._fetching = Lock()
        self._kept = _NONE

    def token(self) -> str:
        """A token that is good for a while. Raises TokenUnavailableError, and DeadlineExceededError where no time is left."""
        if flags.is_set("auth.expired_keys"):
            return self._fetch()[0]  # a fault must show at once, not when the token that is kept runs out
        kept = self._kept
        now = time.monotonic()
        if now < kept.replace_at:
            return kept.text
        if now >= kept.good_until:
            with self._fetching:
                found = self._kept  # somebody else may have replaced it while we waited
                return found.text if now < found.good_until else self._replaced().text
        if self._fetching.acquire(blocking=False):
            try:
                return self._replaced().text
            except TokenUnavailableError:
                self._kept = kept._replace(replace_at=now + AGAIN_SECONDS)
            finally:
                self._fetching.release()
        return kept.text

    def forget(self) -> None:
        """The token was refused: the next call gets another one."""
        self._kept = _NONE

    def _replaced(self) -> _Kept:
        text, seconds = self._fetch()
        now = time.monotonic()
        self._kept = made = _Kept(text, now + max(seconds - EARLY_SECONDS, 0.0), now + max(seconds - FLIGHT_SECONDS, 0.0))
        return made


def from_gateway(gateway: str, client: str, audience: str, scope: str) -> TokenSource:
    """Tokens of one service, as the gateway at that address issues them."""
    asked = http.client(gateway)
    wish = {"grant_type": "client_credentials", "client_id": client, "audience": audience, "scope": scope}

    def fetch() -> tuple[str, float]:
        shown = {**wish, "client_secret": credential(client)}
        try:
            answer = asked.post("/oauth/token", data=shown, headers=resilience.outgoing_headers(), timeout=resilience.timeout(2.0))
            answer.raise_for_status()
            body = answer.json()
            return str(body["access_token"]), float(body["expires_in"])
        except httpx.HTTPError as error:
            raise TokenUnavailableError(f"the gateway gave no token: {type(error).__name__}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise TokenUnavailableError("the gateway's answer holds no token") from error

    return TokenSource(fetch)


class Caller:
    """Who calls, as the token says."""

    is_authenticated = True

    def __init__(self, claims: dict[str, Any]) -> None:
        self.name = str(claims.get("sub", ""))
        self.scopes = frozenset(str(claims.get("scope", "")).split())

    def __str__(self) -> str:
        return self.name


class KeysUnavailable(APIException):
    """The token could not be verified, and that is not its sender's fault."""

    status_code = 503
    default_detail = "The keys of the token's issuer cannot be fetched."


class ServiceToken(BaseAuthentication):
    """DRF authentication by a service's token. A request without one is nobody's, and the permission says whether that will do."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        token = auth.bearer(request._request)
        if token is None:
            return None
        try:
            return Caller(_validator().validate(token)), None
        except auth.TokenRejectedError as refused:
            if refused.reason == "keys_unavailable":
                raise KeysUnavailable from refused
            raise AuthenticationFailed(f"The token was refused: {refused.reason.replace('_', ' ')}.") from refused

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's signature
        return "Bearer"


class HasScope(BasePermission):
    """Whether the caller's token holds what the view calls ``scopes[method]``."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        needed = getattr(view, "scopes", {}).get(request.method)
        if needed is None:
            return True
        if not isinstance(request.user, Caller):
            return False  # DRF answers 401 for nobody, 403 for somebody
        self.message = f"This needs the scope {needed}."
        return needed in request.user.scopes


@cache
def _validator() -> auth.TokenValidator:
    configured: Any = settings
    keys = f"{configured.GATEWAY_URL}/.well-known/jwks.json"
    return auth.TokenValidator(auth.Issuer("gateway", ISSUER, configured.SERVICE_NAME, keys, algorithms=("EdDSA",)))
