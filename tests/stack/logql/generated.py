"""Random LogQL that means something: every operator with every kind of operand, the same ones every time."""

from __future__ import annotations

import random

_FILTERS = (
    '|= "took"',
    '!= "plain"',
    '|~ "[0-9]{2}"',
    '!~ "(?i)BOOM"',
    '|= "plain" or "boom"',
    '|> "<_>took<_>"',
    '!> "plain<_>"',
    '|= ip("192.168.0.0/26")',
)
_PARSERS = {
    "json": ("level", "status", "took", "size", "nested_a", "ratio"),
    "logfmt": ("level", "status", "took", "method", "path"),
    'regexp "(?P<addr>[0-9.]+) - (?P<verb>[A-Z]+) /orders/(?P<pk>[0-9]+)"': ("addr", "verb", "pk"),
    'pattern "<addr> - <verb> <path> took <took> <_>"': ("addr", "verb", "path", "took"),
}
_LABEL_FILTERS = (
    'level="info"',
    'level!="info"',
    'level=~"info|warn"',
    "status >= 404",
    "status < 404",
    "status == 500",
    "took > 250ms",
    "size <= 40KB",
    'detected_level=~"error|warn"',
    "n > 10",
    "duration_ms >= 18",
    'user="u1" or level="warn"',
    'status=200 and level="info"',
    "(status=200 or status=404) , took < 500ms",
)
_FORMATS = (
    'line_format "{{.level}}:{{.status}}"',
    'line_format "{{ __line__ | upper | trunc 12 }}"',
    'line_format "{{ if .level }}{{ .level }}{{ else }}none{{ end }}"',
    'label_format lvl="{{ .level | ToUpper }}"',
    "label_format state=status",
    "drop trace_id, span_id, level",
    "keep service_name, level, status",
    "decolorize",
)
_COUNTED = ("count_over_time", "rate", "bytes_over_time", "bytes_rate")
_UNWRAPPED = (
    "sum_over_time",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "first_over_time",
    "last_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "rate",
)
_GROUPABLE = frozenset(_UNWRAPPED) - {"sum_over_time", "rate"}
_VECTORS = ("sum", "avg", "min", "max", "count", "stddev", "stdvar")
_GROUPINGS = ("", " by (service_name)", " by (level)", " by (service_name, level)", " without (trace_id, span_id, observed_timestamp)")
_OPERATORS = ("+", "-", "*", "/", "%", ">", ">=", "<", "<=", "==", "!=", "> bool", "<= bool")
_SELECTORS = (
    '{service_namespace="shop"}',
    '{service_name="orders"}',
    '{service_name=~"inv.*"}',
    '{service_namespace="shop", service_name!="orders"}',
)


def queries(count: int) -> list[str]:
    """That many queries."""
    chance = random.Random(20261127)
    kinds = (_lines, _counted, _unwrapped, _grouped, _combined)
    return [kinds[number % len(kinds)](chance) for number in range(count)]


def _pipeline(chance: random.Random, *, with_formats: bool) -> str:
    parts = [chance.choice(_FILTERS)] if chance.random() < 0.5 else []
    if chance.random() < 0.75:
        parts += [f"| {chance.choice([*_PARSERS])}", '| __error__=""']
    if chance.random() < 0.6:
        parts.append(f"| {chance.choice(_LABEL_FILTERS)}")
        parts.append('| __error__=""')
    if with_formats and chance.random() < 0.6:
        parts.append(f"| {chance.choice(_FORMATS)}")
    return f"{chance.choice(_SELECTORS)} {' '.join(parts)}".strip()


def _lines(chance: random.Random) -> str:
    return _pipeline(chance, with_formats=True)


def _window(chance: random.Random) -> str:
    return chance.choice(["[30s]", "[1m]", "[2m]", "[1m] offset 30s"])


def _counted(chance: random.Random) -> str:
    return f"{chance.choice(_COUNTED)}({_pipeline(chance, with_formats=False)} {_window(chance)})"


def _unwrapped(chance: random.Random) -> str:
    function = chance.choice(_UNWRAPPED)
    label = chance.choice(["status", "duration(took)", "nested_a", "ratio", "bytes(size)"])
    grouping = chance.choice(_GROUPINGS[:4]) if function in _GROUPABLE else ""
    return f'{function}({chance.choice(_SELECTORS[:2])} | json | __error__="" | unwrap {label} | __error__="" {_window(chance)}){grouping}'


def _grouped(chance: random.Random) -> str:
    return f"{chance.choice(_VECTORS)}{chance.choice(_GROUPINGS)} ({_counted(chance)})"


def _combined(chance: random.Random) -> str:
    left = f"sum by (service_name) ({_counted(chance)})"
    if chance.random() < 0.5:
        return f"{left} {chance.choice(_OPERATORS)} {chance.choice(['2', '0.7', '10'])}"
    right = f"sum by (service_name) ({_counted(chance)})"
    return f"{left} {chance.choice([*_OPERATORS, 'and', 'or', 'unless'])} {right}"
