"""Rules about what a panel asks: that it parses, reads what exists, and asks for windows that hold enough samples."""

from __future__ import annotations

import re
from collections.abc import Iterator

from otelkit.catalog import logql, traceql
from otelkit.catalog.labels import PROMOTED
from otelkit.catalog.logql import AUTO_INTERVAL
from otelkit.catalog.metrics import Kind
from otelkit.catalog.naming import label_name
from otelkit.catalog.promql import RANGE, RATE_INTERVAL
from otelkit_dashboards.lint.rule import Problem, Rule, Subject
from otelkit_dashboards.model import Variable
from otelkit_dashboards.panels import Language
from otelkit_dashboards.reading import SERIES, STAND_INS, Reading, read

_RATES = ("rate", "irate", "increase")
_COUNTS_SERIES = ("count", "group")
_LOG_LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
_LOG_GROUP = re.compile(r"by \(([^)]*)\)")
_LOG_WINDOW = re.compile(r"\[([^\]]+)\]")
_SPAN_ATTRIBUTE = re.compile(r"\b(?:resource|span)\.[\w.]*\w")


def _promql(subject: Subject) -> Iterator[tuple[str, str, bool]]:
    """Panel, text and whether it is instant, of every PromQL expression; annotations and variables belong to the board."""
    for panel in subject.board.panels:
        for query in panel.queries:
            if query.language is Language.PROMQL:
                yield panel.key, query.expr.text, query.instant
    for annotation in subject.board.annotations:
        yield "", annotation.expr.text, False


def _read(subject: Subject) -> Iterator[tuple[str, Reading, bool]]:
    """Those that parse; the others are the business of :func:`_parses`."""
    for key, text, instant in _promql(subject):
        try:
            yield key, read(text), instant
        except ValueError:
            continue


def _parses(subject: Subject) -> Iterator[Problem]:
    for key, text, _ in _promql(subject):
        try:
            read(text)
        except ValueError as error:
            yield key, f"{text} is no PromQL: {error}"


def _windows(subject: Subject) -> Iterator[Problem]:
    for key, reading, instant in _read(subject):
        allowed = {STAND_INS[RATE_INTERVAL]} | ({STAND_INS[RANGE]} if instant else set())
        for selector in reading.selectors:
            if selector.function in _RATES and selector.window not in allowed:
                yield key, f"{selector.function}() of {selector.series} must ask for {RATE_INTERVAL}, or {RANGE} in an instant query"
    for panel in subject.board.panels:
        for query in panel.queries:
            if query.language is Language.LOGQL:
                for window in _LOG_WINDOW.findall(query.expr.text):
                    if window != AUTO_INTERVAL:
                        yield panel.key, f"log lines must be counted over {AUTO_INTERVAL}, not {window}"


def _counters(subject: Subject) -> Iterator[Problem]:
    for key, reading, _ in _read(subject):
        for selector in reading.selectors:
            metric = SERIES.get(selector.series)
            counted = metric is not None and metric.kind in (Kind.COUNTER, Kind.HISTOGRAM)
            if counted and selector.function not in (*_RATES, *_COUNTS_SERIES):
                yield key, f"{selector.series} only grows; put it under rate() or increase()"


def _catalogue(subject: Subject) -> Iterator[Problem]:
    for key, reading, _ in _read(subject):
        for selector in reading.selectors:
            if selector.series not in SERIES:
                yield key, f"{selector.series} is no series of a metric in the catalogue"
                continue
            known = _labels_of(selector.series)
            for condition in selector.conditions:
                if condition.label not in known:
                    yield key, f"{selector.series} has no label {condition.label}"
        for grouping in reading.groupings:
            for series in sorted(grouping.series & set(SERIES)):
                for label in grouping.labels:
                    if label not in _labels_of(series):
                        yield key, f"{series} has no label {label} to group by"


def _labels_of(series: str) -> frozenset[str]:
    names = {label_name(label) for label in (*SERIES[series].labels, *PROMOTED)}
    return frozenset(names | ({"le"} if series.endswith("_bucket") else set()))


def _bounds(subject: Subject) -> Iterator[Problem]:
    for key, reading, _ in _read(subject):
        for selector in reading.selectors:
            for condition in selector.conditions:
                if condition.label == "le" and condition.operator == "=" and re.fullmatch(r"\d+(\.0)?", condition.value):
                    yield (
                        key,
                        f'le="{condition.value}" has two spellings, one over OTLP and one by scrape; take a bound that is no whole number',
                    )


def _other_languages(subject: Subject) -> Iterator[Problem]:
    log_labels = {label_name(label) for label in logql.KNOWN_LABELS}
    attributes = {traceql.attribute_name(label) for label in traceql.KNOWN_LABELS}
    for panel in subject.board.panels:
        for query in panel.queries:
            text = query.expr.text
            if query.language is Language.LOGQL:
                grouped = (name.strip() for group in _LOG_GROUP.findall(text) for name in group.split(","))
                for name in dict.fromkeys((*_LOG_LABEL.findall(text), *grouped)):
                    if name not in log_labels:
                        yield panel.key, f"log lines have no label {name}"
            elif query.language is Language.TRACEQL:
                for name in dict.fromkeys(_SPAN_ATTRIBUTE.findall(text)):
                    if name not in attributes:
                        yield panel.key, f"spans have no attribute {name}"


def _choices(subject: Subject) -> Iterator[Problem]:
    for variable in subject.board.variables:
        if isinstance(variable, Variable):
            known = {*variable.source.labels, *PROMOTED}
            for label in (variable.label, *(matcher.label for matcher in variable.where)):
                if label not in known:
                    yield "", f'the choices of "{variable.name}" read {label.name}, which {variable.source.name} does not have'


RULES = (
    Rule("promql-parses", "Every PromQL expression parses.", _parses),
    Rule("rate-interval", "A rate asks for a window that always holds enough samples, and lines are counted once.", _windows),
    Rule("counter-under-rate", "A counter is drawn as a rate: its value only says how long a process has run.", _counters),
    Rule("in-catalogue", "Every metric and label is in the catalogue.", _catalogue),
    Rule("label-in-catalogue", "Every label of a log line and attribute of a span is in the catalogue.", _other_languages),
    Rule("choice-in-catalogue", "The choices of a variable come from a metric that has its label.", _choices),
    Rule("bucket-bound", "A histogram's bound is spelled alike on both roads to Prometheus.", _bounds),
)
