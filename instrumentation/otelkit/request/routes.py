"""Routes as labels: ``orders/<int:pk>/`` and ``^orders/(?P<pk>\\d+)/$`` are both ``/orders/{pk}/``."""

from __future__ import annotations

import re
from functools import lru_cache

from django.conf import settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.http import HttpRequest
from django.utils.translation import get_language_from_path

_CONVERTER = re.compile(r"<(?:[^<>:]+:)?([^<>:]+)>")
_GROUP_NAME = re.compile(r"\(\?P<(\w+)>")


def route_of(request: HttpRequest) -> str | None:
    """The URL pattern that matched, normalised, or None where none did. Few values, safe as a label.

    A language prefix (i18n_patterns) and SCRIPT_NAME are left out: one view has one route in every language and on every mount point.
    """
    # Read after the response: resolver_match is empty while middleware runs on the way in.
    match = request.resolver_match
    if match is None:
        return None
    route = match.route or ""
    plain = _plain(route)
    if plain is None:
        return normalise(_without_language(request, route)) if settings.USE_I18N else normalise(route)
    return plain


@lru_cache(maxsize=4096)
def _plain(route: str) -> str | None:
    """The normalised route; None where it may begin with a language, so that the request must be asked."""
    return None if _may_begin_with_language(route) else normalise(route)


def _may_begin_with_language(route: str) -> bool:
    """Whether the first part could be ``de``, ``yue`` or ``pt-br``: most cannot, and reading a setting of Django costs more than this."""
    end = route.find("/")
    return 2 <= end <= 3 or (end > 3 and "-" in route[:end])


def _without_language(request: HttpRequest, route: str) -> str:
    urlconf = getattr(request, "urlconf", None) or settings.ROOT_URLCONF
    if isinstance(urlconf, str) and not is_language_prefix_patterns_used(urlconf)[0]:
        return route
    language = get_language_from_path(request.path_info)
    return route.removeprefix(f"{language}/") if language else route


@lru_cache(maxsize=4096)
def normalise(route: str) -> str:
    """Django's pattern text as a path template: ``/`` for the root, ``{name}`` for each variable part."""
    if "(" in route or "\\" in route or "^" in route or "$" in route:
        route = _from_regex(route)
    return "/" + _CONVERTER.sub(r"{\1}", route).lstrip("/")


def _from_regex(pattern: str) -> str:
    """A regular expression as a template: named groups by name, others as ``{}``, anchors and escapes dropped."""
    found = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "(":
            end = _group_end(pattern, position)
            found.append(_group(pattern[position:end]))
            position = _after_quantifier(pattern, end)
        elif character == "\\" and position + 1 < len(pattern):
            # \d, \w, \Z ... stand for variable text or an anchor; \. and \- for themselves.
            following = pattern[position + 1]
            if following in "dDwWsS":
                found.append("{}")
                position = _after_quantifier(pattern, position + 2)
            else:
                found.append("" if following in "AZbB" else following)
                position += 2
        elif character == "[":
            end = pattern.find("]", position + 2)
            found.append("{}")
            position = _after_quantifier(pattern, end + 1 if end > 0 else len(pattern))
        else:
            found.append("" if character in "^$?*+" else character)
            position += 1
    return "".join(found)


def _group(text: str) -> str:
    named = _GROUP_NAME.match(text)
    if named:
        return "{" + named.group(1) + "}"
    if text.startswith("(?:") or not text.startswith("(?"):
        return "{}"
    return ""  # a look-around or a flag takes no text


def _group_end(pattern: str, start: int) -> int:
    depth = 0
    position = start
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            position += 1
        elif character == "[":
            closing = pattern.find("]", position + 2)
            position = closing if closing > 0 else len(pattern)
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    return len(pattern)


def _after_quantifier(pattern: str, position: int) -> int:
    match = re.compile(r"(?:[?*+]|\{\d*,?\d*\})+").match(pattern, position)
    return match.end() if match else position
