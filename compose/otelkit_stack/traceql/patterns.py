"""Regular expressions of a query, as far as they may go: whoever asks must not be able to stop the stack."""

from __future__ import annotations

import re
from functools import lru_cache

from otelkit_stack.selectors.regex import RegexError, compiled
from otelkit_stack.traceql.errors import TraceQLError

LONGEST = 65_536
DEEPEST = 50
"""Groups within groups."""

_PIECE = re.compile(r"\\.|\[(?:\\.|[^\]\\])[^\]]*\]|(?P<open>\()|\)(?P<closed>[*+]|\{\d+,\}|)|(?P<repeat>[*+]|\{\d+,\})|.", re.DOTALL)


@lru_cache(maxsize=256)
def pattern(expression: str) -> re.Pattern[str]:
    """The pattern, to be matched with a text as a whole. Raises TraceQLError in RE2's words, or for one that could take for ever.

    RE2 needs no time for a repetition of a repetition such as ``(a+)+``, and Python's engine may need ages: it is refused.
    """
    if len(expression) > LONGEST:
        raise TraceQLError(f"invalid regex: longer than {LONGEST} characters")
    open_: list[bool] = [False]
    """Of each group that is open, whether something in it repeats without an end."""
    for piece in _PIECE.finditer(expression):
        if piece["open"]:
            open_.append(False)
            if len(open_) > DEEPEST:
                raise TraceQLError(f"invalid regex: more than {DEEPEST} groups within one another")
        elif piece["closed"] is not None and len(open_) > 1:
            repeats = open_.pop()
            if repeats and piece["closed"]:
                raise TraceQLError(
                    f"a repetition of a repetition, at character {piece.start() + 1} of the regex {expression[:200]},"
                    " is not supported by the embedded stack"
                )
            open_[-1] |= repeats or bool(piece["closed"])
        elif piece["repeat"]:
            open_[-1] = True
    try:
        return compiled(expression)
    except RegexError as error:
        raise TraceQLError(f"invalid regex: {expression[:200]}: {error}") from error
