"""URLs without what users and services hide in them: passwords, query values, tokens in the path."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from otelkit.redaction.keys import REDACTED, is_sensitive

_VALUE = "REDACTED"
"""What the semantic conventions put in place of a secret inside a URL: no brackets, they would have to be escaped."""

_QUERY = re.compile(r"\?(\S+)")
_TAIL = re.compile(r"[\"'>)\]},.;:]*$")
_PATH_BEFORE = 512
_MOST_NAMES = 4096
_harmless: set[str] = set()
"""Names of URL converters that are no secret's."""


def redact_url(url: str, allow: Collection[str] = ()) -> str:
    """The URL with ``REDACTED`` for user, password and the value of each query key.

    ``allow`` names the query keys whose values are kept; a key that :func:`~otelkit.redaction.is_sensitive` knows is never kept.
    Works on text alone, so that no URL is too broken for it.
    """
    rest, hash_sign, fragment = url.partition("#")
    rest, question_mark, query = rest.partition("?")
    scheme, slashes, rest = rest.rpartition("://") if "://" in rest else ("", "", rest)
    if slashes:
        authority, slash, path = rest.partition("/")
        _, at, host = authority.rpartition("@")
        rest = f"{_VALUE}:{_VALUE}@{host}{slash}{path}" if at else rest
    # Implicit OAuth flows put the access token behind the hash sign, in the form of a query.
    fragment = _redact_items(fragment, allow) if "=" in fragment else fragment
    return f"{scheme}{slashes}{rest}{question_mark}{_redact_items(query, allow)}{hash_sign}{fragment}"


def redact_query_strings(text: str) -> str:
    """The text with ``REDACTED`` for every query value of the URLs and request lines in it.

    >>> redact_query_strings('"GET /reset?token=abc&next=/ HTTP/1.1" 200')
    '"GET /reset?token=REDACTED&next=REDACTED HTTP/1.1" 200'
    """
    return _QUERY.sub(_redact_query, text) if "?" in text else text


def redact_path(path: str, captured: Mapping[str, object]) -> str:
    """The path with :data:`~otelkit.redaction.REDACTED` where a URL converter with a secret's name matched.

    ``captured`` is ``resolver_match.kwargs``: ``/reset/<uidb64>/<token>/`` hides what stood for ``token``.
    """
    if _harmless.issuperset(captured):  # every request asks, with the same few names
        return path
    for name, value in captured.items():
        if is_sensitive(name):
            path = path.replace(text, REDACTED) if (text := str(value)) else path
        elif len(_harmless) < _MOST_NAMES:
            _harmless.add(name)
    return path


def _redact_query(match: re.Match[str]) -> str:
    query = match[1]
    before = match.string[max(0, match.start() - _PATH_BEFORE) : match.start()]
    words = before.split()
    in_url = bool(words) and not before[-1].isspace() and "/" in words[-1]
    if "=" not in query and not in_url:  # Prose: "really?yes".
        return match[0]
    tail = _TAIL.search(query)
    end = tail.start() if tail else len(query)
    return f"?{_redact_items(query[:end], ())}{query[end:]}"


def _redact_items(query: str, allow: Collection[str]) -> str:
    return "&".join(_redact_item(item, allow) for item in query.split("&")) if query else query


def _redact_item(item: str, allow: Collection[str]) -> str:
    key, equals_sign, value = item.partition("=")
    if not equals_sign:
        # `?eyJhbGciOi...`: a query without keys is a value.
        return _VALUE if item else item
    if not value or (key in allow and not is_sensitive(key)):
        return item
    return f"{key}={_VALUE}"
