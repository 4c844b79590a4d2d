"""Secrets inside prose: exception messages, log messages, values of log keys."""

from __future__ import annotations

import re

from otelkit.redaction.keys import REDACTED, is_sensitive
from otelkit.redaction.urls import redact_query_strings

LONGEST_TEXT = 32_768
"""Characters that are looked at. The rest is cut off: what nobody has checked must not be sent."""

_SHORTEST_CARD = 13
_DIGITS = re.compile(r"[2-6]\d{3}(?:[ -]?\d){9,15}")  # Nothing before the first digit: so the search jumps from digit to digit.
_JOINED = re.compile(r"[\w.-]")
_USERINFO = re.compile(
    # Up to the last @ of the authority; or, where a password holds an unescaped slash, up to the last @ of the word,
    # unless what stands behind the colon is a port.
    r"://(?:[^\s/?#]*@|[^\s/?#@:]+:(?!\d{1,5}(?:[/?#\s]|$))[^\s@]*@)"
)
_SCHEME = re.compile(r"\b(Bearer|Basic|Digest|Token)[ \t]+[\w.~+/=-]{6,}", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[\w-]{4,}\.[\w-]+(?:\.[\w-]*)?")
# Each name is tried once, from its first letter: without the look-behind a long word costs the square of its length.
_KEY = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]*)(?:\\*[\"'])?[ \t]*[=:][ \t]*")
_VALUE = re.compile(
    r"""\\*"(?:[^"\\]|\\.)*"|\\*'(?:[^'\\]|\\.)*'|(?:Bearer|Basic|Digest|Token)[ \t]+[^\s,;]+|[^\s,;&]+""", re.IGNORECASE | re.DOTALL
)
_LITERAL = re.compile(r"""\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'""")
_ASSIGNED_LITERAL = re.compile(rf"""((?<![\w.-])([A-Za-z_][\w.-]*)["']?\s*[=:]\s*[bBrRuUfF]{{0,2}})(?:{_LITERAL.pattern})""")
_REST_OF_LINE = re.compile(r"[^\r\n]+")
_NO_SECRETS = frozenset({"REDACTED", "None", "null", "", "?", "%s"})
"""Values that are left as they are: redacted before, absent, or a placeholder in SQL."""
_BRACKETS = "([{}])\"'"
_CLOSING = ")]}\"'"


def redact_text(text: str) -> str:
    """The text without the secrets that can be recognised in it.

    That is: values behind a sensitive name (``password=...``, ``"token": "..."``), authorization schemes, JSON web tokens,
    user and password of a URL or DSN, query values, and card numbers (by their check digit). At most :data:`LONGEST_TEXT`
    characters are kept.
    """
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}... [cut, {len(text)} characters]"
    # Most texts hold none of the signs that the patterns need: a few look-ups are cheaper than six scans.
    has_colon = ":" in text
    if has_colon and "://" in text:
        text = _USERINFO.sub("://REDACTED:REDACTED@", text)
    if "?" in text:
        text = redact_query_strings(text)
    if "eyJ" in text:
        text = _JWT.sub(REDACTED, text)
    if has_colon or "=" in text:
        text = _redact_pairs(text)
    if " " in text and ("earer " in text or "asic " in text or "oken " in text or "igest " in text or "EARER " in text):
        text = _SCHEME.sub(_redact_scheme, text)
    if len(text) >= _SHORTEST_CARD:
        text = _DIGITS.sub(_redact_card, text)
    return text


def redact_code(line: str) -> str:
    """A line of source code without the secrets that were written into it as literals.

    Unlike in prose, what stands behind a sensitive name is kept where it is code: ``token = read_token()``.
    """
    line = _ASSIGNED_LITERAL.sub(lambda match: f"{match[1]}{REDACTED}" if is_sensitive(match[2]) else match[0], line)
    return _LITERAL.sub(lambda match: match[0][0] + redact_text(match[0][1:-1]) + match[0][-1], line)


def _redact_pairs(text: str) -> str:
    parts: list[str] = []
    done = position = 0
    while match := _KEY.search(text, position):
        position = match.end()
        name = match[1]
        if not is_sensitive(name):
            # Not skipped together with its value, which may be a pair itself: "error: password=hunter2".
            continue
        # A cookie or authorization header holds several values.
        header = "cookie" in name.lower() and ";" in text[position:]
        value = (_REST_OF_LINE if header else _VALUE).match(text, position)
        if value is None or value[0].strip(_BRACKETS) in _NO_SECRETS:
            continue
        parts += (text[done:position], REDACTED)
        done = position = value.end()
        if value[0][-1] in _CLOSING and value[0][0] not in "\\\"'":  # `Login(user='a', password=b)` keeps its bracket.
            parts.append(value[0][len(value[0].rstrip(_CLOSING)) :])
    parts.append(text[done:])
    return "".join(parts)


def _redact_scheme(match: re.Match[str]) -> str:
    credential = match[0].split(None, 1)[1]
    # "Token authentication failed" and "basic settings" are prose: credentials are long, or hold more than letters.
    if credential.isalpha() and len(credential) < 20:
        return match[0]
    return f"{match[1]} {REDACTED}"


def _redact_card(match: re.Match[str]) -> str:
    before, after = match.string[match.start() - 1 : match.start()], match.string[match.end() : match.end() + 1]
    if _JOINED.match(before) or (_JOINED.match(after) and after != "."):  # Part of a longer number or of an identifier.
        return match[0]
    digits = [int(character) for character in match[0] if character.isdigit()]
    doubled = (digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2])
    return REDACTED if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else match[0]
