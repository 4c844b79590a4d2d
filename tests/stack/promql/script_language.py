"""Prometheus' PromQL test scripts, read into commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from otelkit_stack.go_strings import unquoted
from otelkit_stack.promql import durations
from tests.stack.promql.notation import SeriesLine, read_series

_LOAD = re.compile(r"load(?P<nhcb>_with_nhcb)?\s+(?P<step>\S+)")
_INSTANT = re.compile(r"eval(?:_(?P<kind>fail|warn|ordered|info))?\s+instant\s+at\s+(?P<at>\S+)\s+(?P<query>.+)")
_RANGE = re.compile(
    r"eval(?:_(?P<kind>fail|warn|info))?\s+range\s+from\s+(?P<start>\S+)\s+to\s+(?P<end>\S+)\s+step\s+(?P<step>\S+)\s+(?P<query>.+)"
)
_EXPECT = re.compile(r"expect\s+(?P<kind>ordered|fail|warn|no_warn|info|no_info)(?:\s+(?P<how>regex|msg):(?P<text>.+))?")
_EXPECT_RANGE = re.compile(r"expect range vector\s+from\s+(?P<start>\S+)\s+to\s+(?P<end>\S+)\s+step\s+(?P<step>\S+)")


@dataclass(frozen=True, slots=True)
class Clear:
    """Forget all series."""


@dataclass(frozen=True, slots=True)
class Load:
    """Add series, their values so many milliseconds apart, from the epoch on."""

    step_ms: int
    series: tuple[SeriesLine, ...]
    makes_native_histograms: bool


@dataclass(frozen=True, slots=True)
class Expectation:
    """Something that must be said, or must not: exactly a text, or a text with a match; nothing means anything."""

    kind: str
    text: str | None = None
    pattern: str | None = None

    def fits(self, said: str) -> bool:
        if self.text is not None:
            return said == self.text
        return self.pattern is None or re.search(self.pattern, said) is not None


@dataclass(slots=True)
class Eval:
    """A query, and what must come of it. Times in milliseconds; a step of 0 means an instant query."""

    line: int
    query: str
    start_ms: int
    end_ms: int
    step_ms: int
    expectations: list[Expectation] = field(default_factory=list)
    number: float | None = None
    text: str | None = None
    series: list[SeriesLine] = field(default_factory=list)
    matrix_times: tuple[int, int, int] | None = None
    """Start, end and step of the samples of an instant query that gives a matrix."""

    def expected(self, kind: str) -> list[Expectation]:
        return [expectation for expectation in self.expectations if expectation.kind == kind]


Command = Clear | Load | Eval


def read_script(text: str) -> Iterator[Command]:
    """The script's commands. Raises ValueError, with the line's number, for what is none."""
    lines = [line if not line.startswith("#") else "" for line in (line.strip() for line in text.splitlines())]
    at = 0
    while at < len(lines):
        first, at = at, at + 1
        if not lines[first]:
            continue
        block_end = at
        while block_end < len(lines) and lines[block_end]:
            block_end += 1
        try:
            command, used = _command(first + 1, lines[first], lines[at:block_end])
        except ValueError as error:
            raise ValueError(f"line {first + 1}: {error}") from error
        at += used
        yield command


def _command(number: int, line: str, block: list[str]) -> tuple[Command, int]:
    if line == "clear":
        return Clear(), 0
    if load := _LOAD.fullmatch(line):
        return Load(_ms(load["step"]), tuple(map(read_series, block)), load["nhcb"] is not None), len(block)
    if instant := _INSTANT.fullmatch(line):
        at = _ms(instant["at"])
        return _evaluated(Eval(number, instant["query"], at, at, 0), instant["kind"], block)
    if ranged := _RANGE.fullmatch(line):
        start, end, step = (_ms(ranged[name]) for name in ("start", "end", "step"))
        return _evaluated(Eval(number, ranged["query"], start, end, step), ranged["kind"], block)
    raise ValueError(f"{line!r} is no command")


def _evaluated(command: Eval, kind: str | None, block: list[str]) -> tuple[Command, int]:
    if kind:
        command.expectations.append(Expectation(kind))
    for used, line in enumerate(block):
        if expectation := _EXPECT.fullmatch(line):
            text = expectation["text"].strip() if expectation["text"] else None
            by_text = expectation["how"] == "msg"
            command.expectations.append(Expectation(expectation["kind"], text if by_text else None, None if by_text else text))
        elif ranged := _EXPECT_RANGE.fullmatch(line):
            command.matrix_times = (_ms(ranged["start"]), _ms(ranged["end"]), _ms(ranged["step"]))
        elif line.startswith("expect string "):
            command.text = unquoted(line.removeprefix("expect string ").strip())
        elif line.startswith(("expected_fail_message", "expected_fail_regexp")):
            name, _, text = line.partition(" ")
            command.expectations.append(Expectation("fail", *((text.strip(), None) if name.endswith("message") else (None, text.strip()))))
        elif (value := _number(line)) is not None:
            command.number = value
            return command, used + 1
        else:
            command.series.append(read_series(line))
    return command, len(block)


def _number(line: str) -> float | None:
    try:
        return float(int(line, 0))
    except ValueError:
        pass
    try:
        return float(line)
    except ValueError:
        return None


def _ms(text: str) -> int:
    return durations.milliseconds(durations.parse(text))
