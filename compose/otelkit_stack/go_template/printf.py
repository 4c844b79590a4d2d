"""Go's ``printf``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from otelkit_stack.go_template.values import Value, kind_of, shown
from otelkit_stack.go_text import general, plain, quoted

_VERB = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d+)?(?:\.(?P<precision>\d*))?(?P<verb>.)", re.DOTALL)


def formatted(template: str, arguments: Sequence[Value]) -> str:
    """The text with each verb replaced by its argument; what does not fit is said inside it, as Go does."""
    rest = list(arguments)

    def replaced(match: re.Match[str]) -> str:
        if match["verb"] == "%":
            return "%"
        if not rest:
            return f"%!{match['verb']}(MISSING)"
        return _one(match, rest.pop(0))

    result = _VERB.sub(replaced, template)
    if template.endswith("%") and not template.endswith("%%"):
        result = result[:-1] + "%!(NOVERB)"
    if rest:
        result += "%!(EXTRA " + ", ".join(f"{kind_of(value)}={shown(value)}" for value in rest) + ")"
    return result


def _one(match: re.Match[str], value: Value) -> str:
    flags, verb = match["flags"], match["verb"]
    precision = None if match["precision"] is None else int(match["precision"] or 0)
    text = _text(value, verb, flags, precision)
    if text is None:
        return f"%!{verb}({kind_of(value)}={shown(value)})"
    width = int(match["width"] or 0)
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and verb in "dfFeEgGxXob":
        sign, digits = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
        return sign + digits.rjust(width - len(sign), "0")
    return text.rjust(width)


def _text(value: Value, verb: str, flags: str, precision: int | None) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if verb == "v":
        text = shown(value)
        return "+" + text if "+" in flags and is_number and not text.startswith(("-", "+")) else text
    if verb == "T":
        return kind_of(value)
    if verb in "sq" and isinstance(value, str):
        cut = value if precision is None else value[:precision]
        return cut if verb == "s" else quoted(cut)
    if verb == "t" and isinstance(value, bool):
        return shown(value)
    if isinstance(value, float) and verb in "feEgGF":
        return _signed(_float(value, verb, precision), flags)
    if isinstance(value, int) and not isinstance(value, bool) and verb in "dxXobcq":
        return _integer(value, verb, flags)
    return None


def _float(value: float, verb: str, precision: int | None) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return plain(value)
    if verb in "gG" and precision is None:
        text = general(value)
        return text.upper() if verb == "G" else text
    digits = 6 if precision is None else precision
    return f"{value:.{digits}{verb}}" if verb not in "gG" else f"{value:.{max(1, digits)}{verb}}"


def _integer(value: int, verb: str, flags: str) -> str:
    if verb == "c":
        return chr(value)
    if verb == "q":
        return quoted(chr(value), "'")
    return _signed(f"{value:{'#' if '#' in flags and verb in 'xXo' else ''}{verb}}", flags)


def _signed(text: str, flags: str) -> str:
    if text.startswith(("-", "+")):
        return text
    return ("+" if "+" in flags else " " if " " in flags else "") + text
