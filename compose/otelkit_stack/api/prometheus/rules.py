"""Rules and alerts over HTTP: as Prometheus answers, as Loki's ruler does, and the stack's own history of alerts.

Source: ``rules`` and ``alerts`` in ``web/api/v1/api.go`` of Prometheus 3.14; the ruler of Loki 3.7.8.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import yaml
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from otelkit_stack.api.parameters import BadParameterError, integer_parameter, parameters_of, time_parameter
from otelkit_stack.api.prometheus.errors import bad_data, failed
from otelkit_stack.api.prometheus.selectors import matchers_of
from otelkit_stack.errors import StackError
from otelkit_stack.promql.errors import QueryError
from otelkit_stack.promql.labels import Labels
from otelkit_stack.queries import Queries
from otelkit_stack.rules import answers
from otelkit_stack.rules.engine import RuleEngine
from otelkit_stack.rules.group import GroupState, RuleState
from otelkit_stack.rules.model import AlertingRule, Language
from otelkit_stack.selectors.matchers import Matcher, select_all

_TRUE, _FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")


def rule_routes(engine: RuleEngine, queries: Queries) -> list[Route]:
    """``/api/v1/rules`` and ``alerts``, Loki's twins of them, ``/api/otelkit/v1/alert_history`` and ``/-/reload``."""

    async def rules(request: Request) -> Response:
        given = await parameters_of(request)
        language = Language.PROMQL if request.url.path.startswith("/api/") else Language.LOGQL
        try:
            return JSONResponse({"status": "success", "data": page(_of(engine.groups, language), given)})
        except BadParameterError as error:
            return bad_data(str(error))
        except QueryError as error:
            return failed(error)

    async def alerts(request: Request) -> Response:
        language = Language.PROMQL if request.url.path.startswith("/api/") else Language.LOGQL
        return JSONResponse({"status": "success", "data": answers.alerts(_of(engine.groups, language))})

    async def loki_files(_request: Request) -> Response:
        groups = _of(engine.groups, Language.LOGQL)
        if not groups:
            return PlainTextResponse("no rule groups found\n", HTTPStatus.NOT_FOUND)
        return Response(yaml.safe_dump(answers.files(groups), sort_keys=False), media_type="application/yaml")

    async def history(request: Request) -> Response:
        given = {name: values[0] for name, values in (await parameters_of(request)).items()}
        try:
            since_ns, limit = time_parameter(given, "start", 0), integer_parameter(given, "limit", 100)
        except BadParameterError as error:
            return bad_data(str(error))
        found = await run_in_threadpool(lambda: queries.alert_history(since_ns=since_ns, limit=limit))
        return JSONResponse({"status": "success", "data": [answers.change(change) for change in found]})

    async def reload(_request: Request) -> Response:
        try:
            await run_in_threadpool(engine.reload)
        except StackError as error:
            return PlainTextResponse(f"failed to reload config: {error}\n", HTTPStatus.INTERNAL_SERVER_ERROR)
        return Response()

    both = ["GET", "POST"]
    return [
        *(Route(f"{prefix}/api/v1/rules", rules, methods=both) for prefix in ("", "/prometheus")),
        *(Route(f"{prefix}/api/v1/alerts", alerts, methods=both) for prefix in ("", "/prometheus")),
        Route("/loki/api/v1/rules", loki_files),
        Route("/api/otelkit/v1/alert_history", history),
        Route("/-/reload", reload, methods=["POST", "PUT"]),
    ]


def page(groups: Sequence[GroupState], given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The ``data`` of ``/api/v1/rules``: the groups that the parameters ask for, without the rules that they do not.

    Raises BadParameterError, or QueryError for a selector that cannot be read.
    """
    wanted = _Wanted(given)
    limit, token = _paging(given)
    is_found = not token
    found: list[dict[str, Any]] = []
    for group in groups:
        is_found = is_found or token == _token(group)
        rules = [state for state in group.rules if wanted.has_rule(state)] if is_found and wanted.has_group(group) else []
        if not rules:
            continue
        if limit and len(found) == limit:
            return {"groups": found, "groupNextToken": _token(group)}
        found.append(answers.group(group, rules, with_alerts=not wanted.excludes_alerts))
    if not is_found:
        raise BadParameterError(f"invalid parameter \"group_next_token\": invalid group_next_token '{token}'. were rule groups changed?")
    return {"groups": found}


class _Wanted:
    """What the parameters keep in the answer."""

    def __init__(self, given: Mapping[str, Sequence[str]]) -> None:
        self._kind = given.get("type", [""])[0].lower()
        if self._kind not in ("", "alert", "record"):
            raise BadParameterError(f'invalid parameter "type": not supported value "{self._kind}"')
        self._names = {part: frozenset(given.get(f"{part}[]", ())) for part in ("rule_name", "rule_group", "file")}
        self._matchers: list[tuple[Matcher, ...]] = [matchers_of(selector) for selector in given.get("match[]", ())]
        excludes = given.get("exclude_alerts", [""])[0]
        if excludes and excludes not in (*_TRUE, *_FALSE):
            reason = f'error converting exclude_alerts: strconv.ParseBool: parsing "{excludes}": invalid syntax'
            raise BadParameterError(f'invalid parameter "exclude_alerts": {reason}')
        self.excludes_alerts = excludes in _TRUE

    def has_group(self, group: GroupState) -> bool:
        return self._is_named("rule_group", group.group.name) and self._is_named("file", group.group.file)

    def has_rule(self, state: RuleState) -> bool:
        kind = "alert" if isinstance(state.rule, AlertingRule) else "record"
        # The value of a template is not known before there is an alert.
        labels = Labels((name, value) for name, value in state.rule.labels if "{{" not in value)
        return (
            self._kind in ("", kind)
            and self._is_named("rule_name", state.rule.name)
            and (not self._matchers or any(select_all(matchers, labels) for matchers in self._matchers))
        )

    def _is_named(self, part: str, name: str) -> bool:
        return not self._names[part] or name in self._names[part]


def _paging(given: Mapping[str, Sequence[str]]) -> tuple[int, str]:
    limit, token = given.get("group_limit", [""])[0], given.get("group_next_token", [""])[0]
    if not limit:
        if token:
            reason = "group_limit needs to be present in order to paginate over the groups"
            raise BadParameterError(f'invalid parameter "group_next_token": {reason}')
        return 0, ""
    try:
        number = int(limit)
    except ValueError:
        reason = f'group_limit needs to be a valid number: strconv.ParseInt: parsing "{limit}": invalid syntax'
        raise BadParameterError(f'invalid parameter "group_limit": {reason}') from None
    if number <= 0:
        raise BadParameterError('invalid parameter "group_limit": group_limit needs to be greater than 0')
    return number, token


def _token(group: GroupState) -> str:
    return hashlib.sha1(f"{group.group.file};{group.group.name}".encode(), usedforsecurity=False).hexdigest()


def _of(groups: Sequence[GroupState], language: Language) -> list[GroupState]:
    return [group for group in groups if group.group.language is language]
