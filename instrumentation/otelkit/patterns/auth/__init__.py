"""Who is let in, and why not: tokens by reason, keys that rotate, and what Django itself says of log-ins, permissions and CSRF.

from otelkit.patterns import auth

tokens = auth.TokenValidator(auth.Issuer("login", "https://login.example", "orders", "https://login.example/jwks.json"))
claims = tokens.validate(auth.bearer(request))

What Django says needs no call: it is recorded while the kit runs. No token, name or credential is ever in a span, a metric or a line.
"""

from otelkit.patterns.auth.keys import Keys, KeysUnavailableError, UnknownKeyError
from otelkit.patterns.auth.recording import attempted, csrf_failed, keys_refreshed, permission_denied, token_validated
from otelkit.patterns.auth.tokens import Issuer, TokenRejectedError, TokenValidator, bearer

__all__ = [
    "Issuer",
    "Keys",
    "KeysUnavailableError",
    "TokenRejectedError",
    "TokenValidator",
    "UnknownKeyError",
    "attempted",
    "bearer",
    "csrf_failed",
    "keys_refreshed",
    "permission_denied",
    "token_validated",
]
