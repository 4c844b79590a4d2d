"""How a connection ended, in few words. Source: RFC 6455, section 7.4."""

from __future__ import annotations

from asyncio import CancelledError

from otelkit.websockets.state import ConnectionState

_WELL = frozenset({"1000", "1001", "1005", "1012", "1013", "3xxx", "4xxx"})
"""Good-byes: done, going away, no reason given, a restart, try again later, and what an application agreed on with itself."""
_LOST = frozenset({None, "1006"})
_FIRST, _LAST = 1000, 1015
_PRIVATE = range(3000, 5000)


def close_code(state: ConnectionState) -> str | None:
    """The code as a label; None where nobody said one. A client may choose among two thousand of its own: of those the class is told."""
    code = state.close_code
    if code is None:
        return None
    if not isinstance(code, int) or isinstance(code, bool):
        return "_OTHER"
    if _FIRST <= code <= _LAST or (state.is_closed_by_us and code in _PRIVATE):
        return str(code)
    return f"{code // 1000}xxx" if code in _PRIVATE else "_OTHER"


def outcome(state: ConnectionState, code: str | None) -> str:
    """``ok``, ``rejected``, ``lost`` or ``error``."""
    if state.error is not None and not isinstance(state.error, CancelledError):
        return "error"
    if not state.is_accepted:
        return "rejected" if state.is_closed_by_us else "lost"
    if code in _LOST:
        return "lost"
    return "ok" if code in _WELL or state.is_closed_by_us else "error"
