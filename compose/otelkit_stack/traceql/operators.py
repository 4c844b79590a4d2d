"""What an operator makes of two values, and which types it takes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from otelkit_stack.traceql.values import Array, Many, Test, Type, Value, type_of

COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">=", "=~", "!~"})
_EQUALITY = frozenset({"=", "!="})
_ORDER = frozenset({"<", "<=", ">", ">="})
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^"})
_NUMBERS = _ARITHMETIC | _EQUALITY | _ORDER
_VALID: dict[Type, frozenset[str]] = {
    Type.BOOLEAN: _EQUALITY | {"&&", "||"},
    Type.INT: _NUMBERS,
    Type.FLOAT: _NUMBERS,
    Type.DURATION: _NUMBERS,
    Type.STRING: COMPARISONS,
    Type.STATUS: _EQUALITY,
    Type.KIND: _EQUALITY,
    Type.NIL: frozenset(),
}
_LARGEST_POWER = 1024


def takes(operator_: str, type_: Type) -> bool:
    """Whether values of the type may stand beside the operator."""
    return type_ in (Type.ATTRIBUTE, Type.ARRAY) or operator_ in _VALID[type_]


def are_comparable(left: Type, right: Type) -> bool:
    """Whether the types may stand at the two sides of an operator."""
    open_ = (Type.ATTRIBUTE, Type.ARRAY)
    return left is right or left in open_ or right in open_ or (left.is_numeric and right.is_numeric)


def applied(operator_: str, left: Value, right: Value, test: Test | None = None) -> Value:
    """The result; False where the types do not fit, because another span's may. ``test`` is the expression of ``=~`` and ``!~``.

    Where one side is a list, ``!=`` and ``!~`` ask all of its elements and the others ask for one.
    """
    kind = type(left)
    if kind is type(right) and kind in (str, int):  # by far the most
        return _same(operator_, left, right, test)
    if kind is Many or type(right) is Many:
        return any(applied(operator_, one, other, test) is True for one, other in _pairs(left, right))
    if kind is Array or type(right) is Array:
        if operator_ not in COMPARISONS:
            return False
        results = [applied(operator_, one, other, test) is True for one, other in _pairs(left, right)]
        return all(results) if operator_ in ("!=", "!~") else any(results)
    types = type_of(left), type_of(right)
    if Type.NIL in types or not are_comparable(*types) or not all(takes(operator_, type_) for type_ in types):
        return False
    return _same(operator_, left, right, test)


def _pairs(left: Value, right: Value) -> list[tuple[Value, Value]]:
    lefts = left if isinstance(left, Many | Array) else (left,)
    rights = right if isinstance(right, Many | Array) else (right,)
    return [(one, other) for one in lefts for other in rights]


def _same(operator_: str, left: Value, right: Value, test: Test | None) -> Value:
    if operator_ in _COMPARE:
        return _COMPARE[operator_](left, right)
    if operator_ in ("=~", "!~"):
        return test is not None and type(left) is str and test(left) is (operator_ == "=~")
    if isinstance(left, str | bool) or not isinstance(left, int | float) or not isinstance(right, int | float):
        return False
    return _arithmetic(operator_, left, right)


_COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,  # type: ignore[dict-item] # only what compares comes here
    "<=": operator.le,  # type: ignore[dict-item]
    ">": operator.gt,  # type: ignore[dict-item]
    ">=": operator.ge,  # type: ignore[dict-item]
}


def _arithmetic(operator_: str, left: float, right: float) -> Value:
    """Numbers as Go computes them: of two ints an int, cut towards zero; with a duration a float of nanoseconds.

    None where there is no result, such as an int divided by zero.
    """
    are_ints = type(left) is int and type(right) is int
    try:
        match operator_:
            case "+":
                result: float = left + right
            case "-":
                result = left - right
            case "*":
                result = left * right
            case "/" if are_ints:
                return int(abs(left) // abs(right)) * (1 if (left < 0) == (right < 0) else -1)
            case "/":
                result = left / right
            case "%" if are_ints:
                return int(math.copysign(abs(left) % abs(right), left))
            case "%":
                result = math.fmod(left, right)
            case _:
                # An int's power may have a million digits.
                result = left**right if are_ints and 0 <= right <= _LARGEST_POWER and abs(left) <= _LARGEST_POWER else math.pow(left, right)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return result if are_ints else float(result)
