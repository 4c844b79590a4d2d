"""``/api/search/tags`` and the values of a tag, in both versions: what Grafana offers while a query is written.

Source: the answers of Tempo 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from otelkit_stack.api.parameters import BadParameterError
from otelkit_stack.api.tempo_parameters import window_of
from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.errors import TraceQLError
from otelkit_stack.traceql.parsing import parse, parse_attribute
from otelkit_stack.traceql.reading import Source
from otelkit_stack.traceql.tags import INTRINSICS, SCOPES, old_attribute, tag_names, tag_values
from otelkit_stack.traceql.values import Type, Value, text_of, type_of

_TYPES = {Type.STATUS: "keyword", Type.KIND: "keyword", Type.BOOLEAN: "bool"}
_ALL = ("", "none")


def tags_answer(given: Mapping[str, str], source: Source) -> dict[str, object]:
    """Names by scope. Raises BadParameterError for a scope that does not exist."""
    scope = _scope(given)
    names = _names(given, source) if scope != "intrinsic" else {}
    scopes = [{"name": name, "tags": tags} for name, tags in names.items() if scope in (*_ALL, name)]
    if scope in (*_ALL, "intrinsic"):
        scopes.append({"name": "intrinsic", "tags": [*INTRINSICS]})
    return {"scopes": scopes, "metrics": _inspected(source)}


def old_tags_answer(given: Mapping[str, str], source: Source) -> dict[str, object]:
    """Names of all scopes together; intrinsics only where one asks for them."""
    scope = _scope(given)
    names = {tag for name, tags in _names(given, source).items() for tag in tags if scope in (*_ALL, name)}
    return {"tagNames": [*INTRINSICS] if scope == "intrinsic" else sorted(names), "metrics": _inspected(source)}


def values_answer(given: Mapping[str, str], source: Source) -> dict[str, object]:
    """Values with their types; the tag is an attribute with its scope, or an intrinsic."""
    try:
        attribute = parse_attribute(given["tag"])
    except TraceQLError as error:
        raise BadParameterError(f"tag name is not valid intrinsic or scoped attribute: {given['tag']}: {error}") from error
    values = tag_values(attribute, source, window_of(given), _filter(given))
    return {"tagValues": [{"type": _type(value), "value": text_of(value)} for value in values], "metrics": _inspected(source)}


def old_values_answer(given: Mapping[str, str], source: Source) -> dict[str, object]:
    """Values as texts; the tag is an attribute of any scope."""
    try:
        attribute = parse_attribute(given["tag"])
    except TraceQLError:
        attribute = old_attribute(given["tag"])
    values = tag_values(attribute, source, window_of(given), _filter(given))
    return {"tagValues": sorted({text_of(value) for value in values}), "metrics": _inspected(source)}


def _names(given: Mapping[str, str], source: Source) -> dict[s.Scope, list[str]]:
    return tag_names(source, window_of(given), _filter(given))


def _scope(given: Mapping[str, str]) -> str:
    scope = given.get("scope", "")
    if scope not in (*_ALL, "intrinsic", *SCOPES):
        raise BadParameterError(f"invalid scope: {scope}")
    return scope


def _filter(given: Mapping[str, str]) -> s.Pipeline | None:
    """What the query asks for; a half-written one is as none, because this is asked while somebody writes."""
    try:
        body = parse(given.get("q", "").strip() or "{}").body
    except TraceQLError:
        return None
    return body if isinstance(body, s.Pipeline) else None


def _type(value: Value) -> str:
    type_ = type_of(value)
    return _TYPES.get(type_, type_.value)


def _inspected(source: Source) -> dict[str, object]:
    return {"inspectedBytes": str(source.bytes_read)}
