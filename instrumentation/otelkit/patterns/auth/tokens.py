"""JSON Web Tokens of services and users: valid or not, and the reason why not, in words that a board can count.

PyJWT verifies; what it raises becomes one of :data:`REASONS`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from otelkit.catalog.labels import OTHER_VALUE
from otelkit.patterns.auth.keys import Keys, KeysUnavailableError, UnknownKeyError
from otelkit.patterns.auth.recording import token_validated

REASONS = (
    "missing",
    "malformed",
    "algorithm",
    "issuer",
    "unknown_key",
    "keys_unavailable",
    "signature",
    "expired",
    "not_yet_valid",
    "audience",
    "missing_claim",
    "invalid",
)
"""Why a token was refused. ``keys_unavailable`` is our trouble, not the caller's: 503 says so better than 401."""

LONGEST = 16_384
"""Characters of a token; nobody's is longer, and reading a larger one costs time."""


class TokenRejectedError(Exception):
    """The token is not believed. ``reason`` is one of :data:`REASONS`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The token was refused: {reason.replace('_', ' ')}.")


@dataclass(frozen=True, slots=True)
class Issuer:
    """Somebody whose tokens are believed. ``name`` is the label; ``issuer`` and ``audience`` are what ``iss`` and ``aud`` must say."""

    name: str
    issuer: str
    audience: str | Sequence[str]
    keys: str | Keys
    """The address of its keys, or :class:`Keys` with other times."""
    algorithms: tuple[str, ...] = ("RS256", "ES256", "EdDSA")
    leeway: float = 30.0
    """Seconds by which clocks may differ."""
    required: tuple[str, ...] = ("exp", "iat")
    """Claims that must be there, beside ``iss`` and ``aud``."""


class TokenValidator:
    """Validates tokens of these issuers. Raises ValueError for none, for two of one ``iss``, and for algorithms without a public key."""

    def __init__(self, *issuers: Issuer) -> None:
        by_claim = {issuer.issuer: issuer for issuer in issuers}
        if len(by_claim) != len(issuers) or not issuers:
            raise ValueError("TokenValidator() takes one Issuer or more, each with an issuer of its own.")
        for issuer in issuers:
            if shared := [name for name in issuer.algorithms if name == "none" or name.startswith("HS")]:
                raise ValueError(f"Issuer {issuer.name!r}: {', '.join(shared)} is no algorithm with a public key.")
        self._issuers = by_claim
        self._keys = {issuer.issuer: issuer.keys if isinstance(issuer.keys, Keys) else Keys(issuer.keys) for issuer in issuers}

    def validate(self, token: str | None) -> dict[str, Any]:
        """The claims. Raises TokenRejectedError; counts either way. May ask the issuer for its keys."""
        name = None
        try:
            issuer, key_id = self._read(token)
            name = issuer.name
            claims = self._verify(token or "", issuer, key_id)
        except TokenRejectedError as refused:
            token_validated(name if name is not None else OTHER_VALUE, refused.reason)
            raise
        token_validated(name)
        return claims

    async def validate_async(self, token: str | None) -> dict[str, Any]:
        """:meth:`validate`, on the event loop where the keys are at hand, and in a thread where the issuer is asked."""
        try:
            issuer, key_id = self._read(token)
            waits = not self._keys[issuer.issuer].is_at_hand(key_id)
        except TokenRejectedError:
            waits = False
        return await asyncio.to_thread(self.validate, token) if waits else self.validate(token)

    def _read(self, token: str | None) -> tuple[Issuer, str]:
        """Who says it issued the token, and with which key. Nothing of it is verified yet."""
        import jwt

        if token is None or (type(token) is str and not token):
            raise TokenRejectedError("missing")
        if type(token) is not str or len(token) > LONGEST:  # not isinstance(): a lazy object would be asked what it is
            raise TokenRejectedError("malformed")
        try:
            unverified = jwt.decode_complete(token, options={"verify_signature": False})
        except Exception:  # noqa: BLE001  (whatever a stranger sends may break whatever reads it)
            raise TokenRejectedError("malformed") from None  # the original's text may hold a part of the token
        header, claims = unverified["header"], unverified["payload"]
        issuer = self._issuers.get(claims["iss"]) if isinstance(claims.get("iss"), str) else None
        if issuer is None:
            raise TokenRejectedError("issuer")
        if header.get("alg") not in issuer.algorithms:
            raise TokenRejectedError("algorithm")
        key_id = header.get("kid")
        if not isinstance(key_id, str):
            raise TokenRejectedError("unknown_key")
        return issuer, key_id

    def _verify(self, token: str, issuer: Issuer, key_id: str) -> dict[str, Any]:
        import jwt

        try:
            key = self._keys[issuer.issuer].get(key_id)
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=list(issuer.algorithms),
                audience=issuer.audience,
                issuer=issuer.issuer,
                leeway=issuer.leeway,
                options={"require": ["iss", "aud", *issuer.required]},
            )
        except Exception as error:  # noqa: BLE001  (as above)
            raise TokenRejectedError(_reason(error)) from None
        return claims


def bearer(request: HttpRequest) -> str | None:
    """The token of the request's Authorization header, or None."""
    scheme, _, token = str(request.META.get("HTTP_AUTHORIZATION", "")).partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _reason(error: Exception) -> str:
    import jwt

    if isinstance(error, UnknownKeyError):
        return "unknown_key"
    if isinstance(error, KeysUnavailableError):
        return "keys_unavailable"
    kinds: tuple[tuple[type[Exception], str], ...] = (
        (jwt.ExpiredSignatureError, "expired"),
        (jwt.ImmatureSignatureError, "not_yet_valid"),
        (jwt.InvalidAudienceError, "audience"),
        (jwt.InvalidIssuerError, "issuer"),
        (jwt.MissingRequiredClaimError, "missing_claim"),
        (jwt.InvalidAlgorithmError, "algorithm"),
        (jwt.InvalidSignatureError, "signature"),
        (jwt.DecodeError, "malformed"),
    )
    return next((reason for kind, reason in kinds if isinstance(error, kind)), "invalid")
