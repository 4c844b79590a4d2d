"""What the store can find by itself: conditions in SQL that every span must meet which a query could be about.

They let more through than the query does, never less: each trace they find is evaluated as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from otelkit.catalog.labels import HTTP_ROUTE
from otelkit_stack.queries import id_bytes
from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.fields import test_of
from otelkit_stack.traceql.operators import COMPARISONS, applied
from otelkit_stack.traceql.spans import Owner
from otelkit_stack.traceql.values import Kind, Status, Value, stored_value

_MOST_PARTS = 200
"""Of a condition: SQLite's expressions have a limit, and so many alternatives narrow nothing."""


@dataclass(frozen=True, slots=True)
class Where:
    """A condition of the table ``span``, and its values."""

    sql: str
    values: tuple[object, ...] = ()


EVERY = Where("1")


@dataclass(frozen=True, slots=True)
class Owners:
    """The resources and scopes of the store by id: they are few, so conditions about them are decided before a span is read."""

    resources: Mapping[int, Owner]
    scopes: Mapping[int, Owner]

    def of_resources(self, operator: str, name: str, value: Value, expression: s.Binary | None) -> list[int]:
        """Ids of the resources whose attribute compares so; with ``!= nil`` those that have it."""
        return _ids(self.resources, operator, name, value, expression)

    def of_scopes(self, operator: str, name: str, value: Value, expression: s.Binary | None) -> list[int]:
        """The same for scopes."""
        return _ids(self.scopes, operator, name, value, expression)


def needed(stage: s.Stage) -> s.Field | None:
    """What at least one span of each trace must meet that comes through the stage; None where that is not known."""
    match stage:
        case s.Pipeline(stages):
            # Stages that only add or count say nothing about spans; the first that does speaks for all.
            return next((found for inner in stages if (found := needed(inner)) is not None), None)
        case s.Filter(condition):
            return None if condition == s.Static(True) else of_spans(condition)
        case s.SpansetOperation("||", left, right):
            sides = needed(left), needed(right)
            return None if sides[0] is None or sides[1] is None else s.Logic("||", (sides[0], sides[1]))
        case s.SpansetOperation(operator, left, right):
            found = needed(right)
            return needed(left) if found is None and not operator.startswith("!") else found
        case _:
            return None


def of_spans(condition: s.Field) -> s.Field:
    """The same condition, where it can be said so, without what only the trace tells: a span is a root where it has no parent."""
    match condition:
        case s.Logic(operator, parts):
            return s.Logic(operator, tuple(map(of_spans, parts)))
        case s.Binary("<", s.Attribute("intrinsic", "nestedSetParent"), s.Static(0)):
            return s.Exists(s.Attribute("intrinsic", "span:parentID"), negated=True)
        case s.Binary("=", s.Attribute("intrinsic", "nestedSetParent"), s.Static(-1)):
            return s.Exists(s.Attribute("intrinsic", "span:parentID"), negated=True)
        case _:
            return condition


def narrowed(condition: s.Field | None, owners: Owners) -> Where:
    """What the store can tell of the condition: it holds for no span, or in no trace of a root, that does not meet this."""
    found = None if condition is None else of_condition(condition, owners) or _of_roots(condition, owners)
    if found is None or found.sql.count(" AND ") + found.sql.count(" OR ") > _MOST_PARTS:
        return EVERY
    return found


def _of_roots(condition: s.Field, owners: Owners) -> Where | None:
    """For a condition about the root of the trace alone: that root."""
    match condition:
        case s.Logic("&&", parts):
            return next((found for part in parts if (found := _of_roots(part, owners)) is not None), None)
        case s.Binary("=", s.Attribute("intrinsic", "rootName"), s.Static(str() as name)):
            return _joined(" AND ", [_ROOT, Where("name = ?", (name,))])
        case s.Binary("=", s.Attribute("intrinsic", "rootServiceName"), s.Static(str() as service)):
            return _joined(" AND ", [_ROOT, _in("resource_id", [key for key, owner in owners.resources.items() if owner.name == service])])
        case _:
            return None


_ROOT = Where("parent_span_id IS NULL")


def of_condition(condition: s.Field, owners: Owners) -> Where | None:
    """What a span must meet for which the condition holds; None where that is not known."""
    match condition:
        case s.Static(value):
            return None if value is True else Where("0")
        case s.Attribute():
            return _present(condition, owners)
        case s.Exists(s.Attribute("intrinsic", "span:parentID"), negated):
            return _ROOT if negated else Where("parent_span_id IS NOT NULL")
        case s.Exists(s.Attribute() as attribute, negated=False):
            return _present(attribute, owners)
        case s.Logic("&&", parts):
            found = [part for part in (of_condition(part, owners) for part in parts[:_MOST_PARTS]) if part is not None]
            return _joined(" AND ", found) if found else None
        case s.Logic("||", parts):
            return _any([of_condition(part, owners) for part in parts]) if len(parts) <= _MOST_PARTS else None
        case s.Binary(_, s.Attribute() as attribute, s.Static(value)):
            return _comparison(condition, attribute, condition.operator, value, owners)
        case s.Binary(operator, s.Static(value), s.Attribute() as attribute) if operator in _TURNED:
            return _comparison(condition, attribute, _TURNED[operator], value, owners)
        case _:
            return None


_TURNED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _joined(word: str, parts: list[Where]) -> Where:
    return Where("(" + word.join(part.sql for part in parts) + ")", tuple(value for part in parts for value in part.values))


def _any(parts: list[Where | None]) -> Where | None:
    known = [part for part in parts if part is not None]
    return _joined(" OR ", known) if len(known) == len(parts) else None


def _comparison(expression: s.Binary, attribute: s.Attribute, operator: str, value: Value, owners: Owners) -> Where | None:
    if operator not in COMPARISONS:
        return None  # arithmetic gives no condition
    match attribute.scope:
        case "intrinsic":
            return _intrinsic(attribute.name, operator, value)
        case "resource":
            return _in("resource_id", owners.of_resources(operator, attribute.name, value, expression))
        case "instrumentation":
            return _in("scope_id", owners.of_scopes(operator, attribute.name, value, expression))
        case "span" if operator == "=" and isinstance(value, str):
            if attribute.name == HTTP_ROUTE.name:
                # The column holds texts alone; a list of routes is in the JSON.
                return Where("(route = ? OR (route IS NULL AND instr(attributes, ?)))", (value, _token(attribute.name)))
            return Where("(instr(attributes, ?) AND instr(attributes, ?))", (_token(attribute.name), _json(value)))
        case _:
            return _present(attribute, owners)


def _intrinsic(name: str, operator: str, value: Value) -> Where | None:
    match name, operator, value:
        case "duration", "=" | "<" | "<=" | ">" | ">=", int() | float():
            return Where(f"duration_ns {operator} ?", (value,))
        case "name", "=", str():
            return Where("name = ?", (value,))
        case "statusMessage", "=", str():
            return Where("status_message = ?", (value,))
        case "status", "=", Status():
            # A number that is none of OTLP's counts as unset.
            return Where("status NOT IN (1, 2)") if value is Status.UNSET else Where("status = ?", (value.value,))
        case "status", "!=", Status():
            return Where("status IN (1, 2)") if value is Status.UNSET else Where("status <> ?", (value.value,))
        case "kind", "=", Kind() if value is not Kind.UNSPECIFIED:
            return Where("kind = ?", (value.value,))
        case "trace:id", "=", str():
            return Where("trace_id = ?", (id_bytes(value) or b"",))
        case "event:name", _, _:
            return Where("length(events) > 2")
        case _:
            return None


def _present(attribute: s.Attribute, owners: Owners) -> Where | None:
    """That the attribute is there: its name stands in the JSON, or its resource has it."""
    token = _token(attribute.name)
    match attribute.scope:
        case "span":
            return Where("instr(attributes, ?)", (token,))
        case "event":
            return Where("instr(events, ?)", (token,))
        case "link":
            return Where("instr(links, ?)", (token,))
        case "resource":
            return _in("resource_id", owners.of_resources("exists", attribute.name, None, None))
        case "instrumentation":
            return _in("scope_id", owners.of_scopes("exists", attribute.name, None, None))
        case "":
            scopes: tuple[s.Scope, ...] = ("span", "resource", "event", "link", "instrumentation")
            return _any([_present(s.Attribute(scope, attribute.name), owners) for scope in scopes])
        case _:
            return None


def _in(column: str, values: list[int]) -> Where:
    if not values:
        return Where("0")
    if len(values) == 1:
        return Where(f"{column} = ?", (values[0],))
    return Where(f"{column} IN (SELECT value FROM json_each(?))", (_json(values),))  # noqa: S608 - our own names


def _ids(table: Mapping[int, Owner], operator: str, name: str, value: Value, expression: s.Binary | None) -> list[int]:
    test = None if expression is None else test_of(expression)
    values = {key: stored_value(owner.attributes.get(name)) for key, owner in table.items()}
    if operator == "exists":
        return [key for key, found in values.items() if found is not None]
    return [key for key, found in values.items() if applied(operator, found, value, test) is True]


def _token(name: str) -> str:
    return _json(name) + ":"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
