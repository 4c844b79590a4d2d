"""How rules ask: an expression and a moment in, series and their values out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from otelkit_stack.promql.engine import Engine
from otelkit_stack.promql.grammar import parse
from otelkit_stack.promql.labels import NO_LABELS, Labels
from otelkit_stack.promql.results import ScalarAnswer, VectorAnswer
from otelkit_stack.rules.errors import RuleError

Vector = Sequence[tuple[Labels, float]]
Ask = Callable[[str, int], Vector]
"""Takes an expression and milliseconds since the epoch. May raise QueryError or RuleError."""


def promql(engine: Engine) -> Ask:
    """Asks in PromQL."""
    parsed = lru_cache(maxsize=512)(parse)

    def ask(expression: str, time_ms: int) -> Vector:
        answer = engine.instant(parsed(expression), time_ms).answer
        match answer:
            case VectorAnswer(_, samples):
                return samples
            case ScalarAnswer(_, value):
                return ((NO_LABELS, value),)
        raise RuleError("rule result is not a vector or scalar")

    return ask
