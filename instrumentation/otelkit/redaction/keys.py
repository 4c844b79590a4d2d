"""Secrets by name: does this key hold something that must not be shown?

The verdict is remembered for each key, because a service uses the same few keys for ever and a scan costs ten times a look-up.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

REDACTED = "[REDACTED]"
"""What is shown instead of a secret."""

_PARTS = re.compile(
    # Found anywhere in the key, once it is written in small letters and without separators: X-Api-Key is xapikey.
    r"passw(or)?d|passphrase|passcode|secret|credential|token(?!i[sz])|session|cookie|csrf|xsrf|jwt|bearer|signature"
    # "auth" but neither "author" nor "authenticated": the first is no secret, the second is a yes or no.
    r"|auth(?!or|en)|authori[sz]ation"
    r"|(api|access|private|secret|shared|signing|encryption|master|ssh|account|license)key"
    r"|creditcard|cardn(o|um)|socialsecurity|mysqlpwd|sessid|connectsid|symfony|connectionstring|databaseurl|querystring|urlquery"
    # Addresses of clients: personal data, off by default.
    r"|forwardedfor|realip$|^ipaddress$|remoteaddr$|^client(ip|address)$"
)
_WORDS = frozenset({"auth", "pass", "pwd", "pw", "pin", "otp", "totp", "ssn", "cvv", "cvc", "iban", "sid", "sig", "dsn", "card"})
"""Too short to be looked for inside other words (``spin``, ``cardinality``, ``compass``): these must be words of their own."""

_DESCRIPTION = re.compile(
    r"counts?|total|length|len|size|bytes|type|kind|method|scheme|algorithm|alg|age|ttl|expiry|expires|expired|expiration|at|date|time"
    r"|timeout|duration|ms|seconds|s|status|outcome|result|reason|policy|backend|engine|enabled|disabled|required|valid|invalid|verified"
    r"|present|missing|active|name|issuer|scopes?|version|changed|rotated|brand|limit|used|class|module"
)
"""A key whose last word is one of these speaks *about* a secret: ``token_type``, ``session_duration_s``, ``session_cookie_name``."""

_QUANTITY = re.compile(r"max|min|prompt|completion|input|output|total|used|usage|remaining|cached|reasoning|num")
"""Words that make ``tokens`` a number of them (``gen_ai.usage.input_tokens``)."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_LONGEST_KEY = 128


def is_sensitive(key: str) -> bool:
    """Whether values under this key are secrets, whatever its spelling: ``X-Api-Key``, ``apiKey`` and ``API_KEY`` are one."""
    # A key of megabytes is somebody's mistake or attack; its ends decide, so that the memory of verdicts stays small.
    return _verdict(key if len(key) <= _LONGEST_KEY else key[: _LONGEST_KEY // 2] + key[-_LONGEST_KEY // 2 :])


def redact_value(key: str, value: Any) -> Any:
    """The value, or :data:`REDACTED` where the key says that it is a secret."""
    return REDACTED if is_sensitive(key) else value


@lru_cache(maxsize=4096)
def _verdict(key: str) -> bool:
    words = [word for word in _SEPARATORS.split(_HUMP.sub("_", key).lower()) if word]
    if not words or _DESCRIPTION.fullmatch(words[-1]):
        return False
    if words[-1] == "tokens" and any(map(_QUANTITY.fullmatch, words)):
        return False
    return not _WORDS.isdisjoint(words) or _PARTS.search("".join(words)) is not None
