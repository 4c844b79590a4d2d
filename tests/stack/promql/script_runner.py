"""Runs Prometheus' PromQL test scripts against our engine.

    python -m tests.stack.promql.script_runner [FOLDER or FILE ...]

prints passed, failed and skipped cases of each file. A case is skipped by two rules alone, never by its name: it looks at
native histograms (a series or an expectation with ``{{``, or one made by ``load_with_nhcb``), or it is experimental (our parser says
so, in Prometheus' words).
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from otelkit_stack.promql.engine import Engine
from otelkit_stack.promql.errors import NotEnabledError, ParseError, QueryError
from otelkit_stack.promql.grammar import parse
from otelkit_stack.promql.labels import Labels
from otelkit_stack.promql.limits import Options
from otelkit_stack.promql.results import Answer, MatrixAnswer, Result, ScalarAnswer, StringAnswer, VectorAnswer
from otelkit_stack.promql.signatures import DEPENDS_ON_EVALUATION_TIME
from otelkit_stack.promql.storage import MemoryStorage
from otelkit_stack.promql.syntax import Call, Expression, MatrixSelector, Subquery, VectorSelector
from otelkit_stack.selectors.matchers import select_all
from tests.stack.promql.script_language import Clear, Eval, Load, read_script
from tests.stack.promql.shared_files import shared_folder

T = TypeVar("T")
_TOLERANCE = 1e-6
_MINUTE = 60_000
_DEPENDS_ON_RANGE = re.compile(r"(start|end|range|step)\(\)")


class MismatchError(Exception):
    """What came of a query is not what the script says."""


class OutOfScopeError(Exception):
    """The case is out of scope; the text is the rule."""


@dataclass(slots=True)
class Report:
    """What became of a file's cases."""

    name: str
    passed: int = 0
    failures: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    def line(self) -> str:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(self.skipped.items()))
        skipped = f"{sum(self.skipped.values())} skipped" + (f" ({reasons})" if reasons else "")
        return f"{self.name}: {self.passed} passed, {len(self.failures)} failed, {skipped}"


class ScriptRunner:
    """Runs one script. The engine keeps names until the end, as the one that the scripts were written for does."""

    def __init__(self) -> None:
        self._storage = MemoryStorage()
        self._loaded: dict[Labels, dict[int, float]] = {}
        self._native: list[Labels] = []
        self._engine = Engine(self._storage, Options(late_names=True))

    def run(self, name: str, text: str) -> Report:
        """What became of its cases."""
        report = Report(name)
        for command in read_script(text):
            match command:
                case Clear():
                    self._loaded.clear()
                    self._native.clear()
                    self._store()
                case Load():
                    self._load(command)
                case Eval():
                    try:
                        self._check(command)
                    except OutOfScopeError as rule:
                        report.skipped[str(rule)] += 1
                    except (MismatchError, QueryError) as error:
                        report.failures.append(f"{name}:{command.line}: {command.query}\n    {type(error).__name__}: {error}")
                    else:
                        report.passed += 1
        return report

    def _load(self, load: Load) -> None:
        for line in load.series:
            if line.is_native:
                self._native.append(line.labels)
                continue
            samples = {index * load.step_ms: value for index, value in enumerate(line.values) if value is not None}
            self._loaded.setdefault(line.labels, {}).update(samples)
            if load.makes_native_histograms:
                name = line.labels.get("__name__")
                base = name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")
                self._native.append(line.labels.drop(("le",)).replace("__name__", base))
        self._store()

    def _store(self) -> None:
        # A series may be loaded in several parts, and twice the same.
        self._storage.clear()
        for labels, samples in self._loaded.items():
            self._storage.add(labels, sorted(samples.items()))

    def _check(self, case: Eval) -> None:
        expression = self._in_scope(case)
        result = self._answered(case, case.query, case.start_ms)
        if result is None:
            return
        _check_annotations(case, result)
        _check_answer(case, result.answer)
        if case.step_ms or case.matrix_times or case.text is not None:
            return
        self._check_in_range(case, expression, case.start_ms)
        for at_ms in _other_times(case, expression):
            fixed = _fixed_at(expression, case.start_ms)
            answer = self._engine.instant(fixed, at_ms).answer
            _check_answer(case, answer)
            self._check_in_range(case, fixed, at_ms)

    def _in_scope(self, case: Eval) -> Expression | None:
        if any(line.is_native for line in case.series):
            raise OutOfScopeError("native histograms")
        try:
            expression = parse(case.query)
        except NotEnabledError:
            raise OutOfScopeError("experimental") from None
        except ParseError:
            return None
        for selector in nodes(expression, VectorSelector):
            if any(select_all(selector.matchers, labels) for labels in self._native):
                raise OutOfScopeError("native histograms")
        return expression

    def _answered(self, case: Eval, query: str, at_ms: int) -> Result | None:
        try:
            if case.step_ms:
                result = self._engine.range(query, case.start_ms, case.end_ms, case.step_ms)
            else:
                result = self._engine.instant(query, at_ms)
        except QueryError as error:
            expected = case.expected("fail")
            if not expected:
                raise
            if not all(expectation.fits(str(error)) for expectation in expected):
                raise MismatchError(f"failed with {error}; expected {expected}") from error
            return None
        if case.expected("fail"):
            raise MismatchError(f"was to fail, but gave {result.answer}")
        return result

    def _check_in_range(self, case: Eval, expression: Expression | None, at_ms: int) -> None:
        """The middle one of three steps must say the same as the instant query."""
        if expression is None or case.expected("ordered") or case.expected("fail") or _DEPENDS_ON_RANGE.search(case.query):
            return
        answer = self._engine.range(expression, at_ms - _MINUTE, at_ms + _MINUTE, _MINUTE).answer
        assert isinstance(answer, MatrixAnswer)
        samples = [
            (labels, value)
            for labels, times, values in answer.series
            for time, value in zip(times.tolist(), values.tolist(), strict=True)
            if time == at_ms
        ]
        if case.number is not None:
            _check_answer(case, ScalarAnswer(at_ms, samples[0][1]))
        else:
            _check_answer(case, VectorAnswer(at_ms, tuple(samples)))


def nodes(expression: object, kind: type[T]) -> Iterator[T]:
    """All parts of the tree of this kind."""
    if isinstance(expression, kind):
        yield expression
    if isinstance(expression, tuple):
        for part in expression:
            yield from nodes(part, kind)
    elif is_dataclass(expression):
        for part_field in fields(expression):
            yield from nodes(getattr(expression, part_field.name), kind)


def _other_times(case: Eval, expression: Expression | None) -> list[int]:
    """Other times at which the query must say the same once ``@`` fixes all its selectors."""
    moves = any(call.function.name in DEPENDS_ON_EVALUATION_TIME for call in nodes(expression, Call))
    if expression is None or moves or case.expected("fail"):
        return []
    at = case.start_ms
    return [-10 * at, 0, at // 5, at, 10 * at] if at else [-1000, 0, 1000]


def _fixed_at(node: Any, at_ms: int) -> Any:
    """The expression with ``@`` at each selector that has none; a subquery's own takes the place of those inside it."""
    match node:
        case VectorSelector():
            return node if node.at is not None else replace(node, at=at_ms)
        case Subquery():
            return node if node.at is not None else replace(node, at=at_ms)
        case MatrixSelector(selector):
            return replace(node, selector=_fixed_at(selector, at_ms))
        case tuple():
            return tuple(_fixed_at(part, at_ms) for part in node)
    if is_dataclass(node) and not isinstance(node, type):
        return replace(node, **{part.name: _fixed_at(getattr(node, part.name), at_ms) for part in fields(node)})
    return node


def _check_annotations(case: Eval, result: Result) -> None:
    for kind, said in (("warn", result.warnings), ("info", result.infos)):
        expected = case.expected(kind)
        for expectation in expected:
            if not any(expectation.fits(text) for text in said):
                raise MismatchError(f"no {kind} like {expectation}, but {said}")
        if any(expectation.text or expectation.pattern for expectation in expected):
            for text in said:
                if not any(expectation.fits(text) for expectation in expected):
                    raise MismatchError(f"unexpected {kind}: {text}")
        if case.expected(f"no_{kind}") and said:
            raise MismatchError(f"unexpected {kind}: {said}")


def _check_answer(case: Eval, answer: Answer) -> None:
    match answer:
        case StringAnswer(_, text):
            if text != case.text:
                raise MismatchError(f"gave the string {text!r}; expected {case.text!r}")
        case ScalarAnswer(_, value):
            if case.number is None or not almost_equal(value, case.number):
                raise MismatchError(f"gave the number {value}; expected {case.number}")
        case VectorAnswer(_, samples):
            _check_vector(case, list(samples))
        case MatrixAnswer():
            _check_matrix(case, answer)


def _check_vector(case: Eval, samples: list[tuple[Labels, float]]) -> None:
    expected = {line.labels: line.values[0] for line in case.series}
    given = dict(samples)
    if len(given) != len(samples):
        raise MismatchError(f"gave two series of the same labels: {samples}")
    if case.number is not None or given.keys() != expected.keys():
        raise MismatchError(f"gave {_shown(given)}; expected {case.number if case.number is not None else _shown(expected)}")
    for labels, value in expected.items():
        if value is None or not almost_equal(given[labels], value):
            raise MismatchError(f"gave {given[labels]} for {labels}; expected {value}")
    if case.expected("ordered") and list(given) != list(expected):
        raise MismatchError(f"gave the order {_shown(given)}; expected {_shown(expected)}")


def _check_matrix(case: Eval, answer: MatrixAnswer) -> None:
    start, end, step = case.matrix_times or (case.start_ms, case.end_ms, case.step_ms)
    given = {labels: dict(zip(times.tolist(), values.tolist(), strict=True)) for labels, times, values in answer.series}
    expected = {
        line.labels: {start + index * step: value for index, value in enumerate(line.values) if value is not None} for line in case.series
    }
    if list(given) != sorted(given):
        raise MismatchError(f"gave series that are not ordered by labels: {list(map(str, given))}")
    if given.keys() != expected.keys():
        raise MismatchError(f"gave {_shown(given)}; expected {_shown(expected)}")
    for labels, points in expected.items():
        found = given[labels]
        if found.keys() != points.keys() or not all(almost_equal(found[time], value) for time, value in points.items()):
            raise MismatchError(f"gave {found} for {labels}; expected {points} until {end}")


def _shown(series: dict[Labels, Any]) -> str:
    return "[" + "; ".join(f"{labels} {value}" for labels, value in series.items()) + "]"


def almost_equal(first: float, second: float, tolerance: float = _TOLERANCE) -> bool:
    """Whether the two differ by less than a share of their sum; NaN equals NaN."""
    if math.isnan(first) or math.isnan(second):
        return math.isnan(first) and math.isnan(second)
    if first == second:
        return True
    total = abs(first) + abs(second)
    if first == 0 or second == 0 or total < sys.float_info.min:
        return abs(first - second) < tolerance * sys.float_info.min
    return abs(first - second) / min(total, sys.float_info.max) < tolerance


def script_files() -> list[Path]:
    """The scripts beside the project; none where there are none."""
    folder = shared_folder("promqltest")
    return sorted(folder.glob("*.test")) if folder else []


def main(arguments: list[str]) -> int:
    """Print a line for each script and each failure. 1 where a case failed."""
    given = [Path(argument) for argument in arguments]
    files = [file for path in given for file in (sorted(path.glob("*.test")) if path.is_dir() else [path])] or script_files()
    has_failed = False
    for file in files:
        report = ScriptRunner().run(file.name, file.read_text())
        print(report.line())
        for failure in report.failures:
            print("  " + failure)
        has_failed |= bool(report.failures)
    return int(has_failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
