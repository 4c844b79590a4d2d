"""Functions that rewrite labels and leave values alone: ``label_replace`` and ``label_join``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from otelkit_stack.promql.errors import EvaluationError
from otelkit_stack.promql.frames import Frame, merge_same_labels
from otelkit_stack.promql.labels import METRIC_NAME, Labels, is_label_name
from otelkit_stack.selectors.regex import RegexError, compiled

_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})", re.ASCII)


def label_replace(frame: Frame, target: str, replacement: str, source: str, expression: str) -> Frame:
    """Set ``target`` to the replacement wherever the whole of ``source`` matches; ``$1`` and ``${name}`` stand for groups.

    Raises EvaluationError for a broken expression or label name, and where two series end up the same.
    """
    try:
        pattern = compiled(expression)
    except RegexError as error:
        raise EvaluationError(f"invalid regular expression in label_replace(): {expression}") from error
    _require_label_name(target, "invalid destination label name in label_replace()")

    def rewrite(labels: Labels) -> Labels | None:
        match = pattern.fullmatch(labels.get(source))
        return None if match is None else labels.replace(target, _expanded(replacement, match))

    return _rewritten(frame, target, rewrite)


def label_join(frame: Frame, target: str, separator: str, sources: Sequence[str]) -> Frame:
    """Set ``target`` to the values of the source labels, joined. Raises EvaluationError as :func:`label_replace` does."""
    for source in sources:
        _require_label_name(source, "invalid source label name in label_join()")
    _require_label_name(target, "invalid destination label name in label_join()")
    return _rewritten(frame, target, lambda labels: labels.replace(target, separator.join(map(labels.get, sources))))


def _rewritten(frame: Frame, target: str, rewrite: Callable[[Labels], Labels | None]) -> Frame:
    labels, nameless = list(frame.labels), list(frame.nameless)
    for row, its_labels in enumerate(frame.labels):
        rewritten = rewrite(its_labels)
        if rewritten is not None:
            labels[row] = rewritten
            nameless[row] = nameless[row] and target != METRIC_NAME
    return merge_same_labels(replace(frame, labels=labels, nameless=nameless))


def _expanded(template: str, match: re.Match[str]) -> str:
    def value(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        if name.isdigit():
            return (match[int(name)] or "") if int(name) <= (match.re.groups) else ""
        return match.groupdict().get(name) or ""

    return _REFERENCE.sub(value, template)


def _require_label_name(name: str, complaint: str) -> None:
    if not is_label_name(name):
        raise EvaluationError(f"{complaint}: {name}")
