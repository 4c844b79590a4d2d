"""Runs a template's tree over its data."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

from otelkit_stack.go_template.errors import TemplateError
from otelkit_stack.go_template.nodes import (
    Branch,
    Command,
    Constant,
    Dot,
    Fields,
    Jump,
    Node,
    Operand,
    Output,
    Pipeline,
    Text,
    Variable,
    Where,
)
from otelkit_stack.go_template.nodes import Function as FunctionNode
from otelkit_stack.go_template.values import Function, Struct, Value, entry_of, is_true, kind_of, shown

LAZY = ("and", "or")
"""Functions that do not evaluate all of their arguments."""


_MOST_SHOWN = 20
"""Characters of the part that failed."""


class _BreakSignal(Exception):  # noqa: N818  (a jump, not a failure)
    pass


class _ContinueSignal(Exception):  # noqa: N818  (a jump, not a failure)
    pass


class Execution:
    """One run. Raises TemplateError from a function that fails, or for a field that nothing has."""

    def __init__(self, functions: Mapping[str, Function], data: Value, variables: Mapping[str, Value], name: str) -> None:
        self._functions = functions
        self._name = name
        self._scopes: list[dict[str, Value]] = [{"$": data, **variables}]
        self._out: list[str] = []

    def run(self, nodes: Sequence[Node], data: Value) -> str:
        """The text."""
        self._run(nodes, data)
        return "".join(self._out)

    def _run(self, nodes: Sequence[Node], dot: Value) -> None:
        for node in nodes:
            match node:
                case Text(text):
                    self._out.append(text)
                case Output(pipeline):
                    value = self._pipeline(pipeline, dot)
                    if not pipeline.variables:
                        self._out.append("<no value>" if value is None else shown(value))
                case Branch():
                    self._scopes.append({})
                    try:
                        self._branch(node, dot)
                    finally:
                        self._scopes.pop()
                case Jump(kind):
                    raise _BreakSignal if kind == "break" else _ContinueSignal

    def _branch(self, branch: Branch, dot: Value) -> None:
        value = self._pipeline(branch.pipeline, dot)
        if branch.kind == "range":
            try:
                items = _items(value)
            except TemplateError as error:
                raise self._failed(str(error), branch.pipeline.commands[-1].where) from error
            self._range(branch, items, dot)
        elif is_true(value):
            self._run(branch.body, value if branch.kind == "with" else dot)
        else:
            self._run(branch.otherwise, dot)

    def _range(self, branch: Branch, items: Sequence[tuple[Value, Value]], dot: Value) -> None:
        if not items:
            self._run(branch.otherwise, dot)
        for key, item in items:
            names = branch.pipeline.variables
            pairs = zip(names, (key, item) if len(names) == 2 else (item,), strict=False)
            for name, bound in pairs:
                self._bind(name, bound, is_assignment=branch.pipeline.is_assignment)
            try:
                self._run(branch.body, item)
            except _ContinueSignal:
                continue
            except _BreakSignal:
                break

    def _bind(self, name: str, value: Value, *, is_assignment: bool) -> None:
        scope = self._scopes[-1]
        if is_assignment:
            known = next((scope for scope in reversed(self._scopes) if name in scope), None)
            if known is None:
                raise TemplateError(f"undefined variable: {name}")
            scope = known
        scope[name] = value

    def _pipeline(self, pipeline: Pipeline, dot: Value) -> Value:
        piped: tuple[Value, ...] = ()
        for command in pipeline.commands:
            piped = (self._command(command, dot, piped),)
        for name in pipeline.variables:
            self._bind(name, piped[0], is_assignment=pipeline.is_assignment)
        return piped[0]

    def _command(self, command: Command, dot: Value, piped: tuple[Value, ...]) -> Value:
        first, *rest = command.operands
        if isinstance(first, FunctionNode):
            return self._call(first, rest, dot, piped, command.where)
        if rest or piped:
            raise TemplateError("can't give argument to non-function")
        return self._operand(first, dot)

    def _call(self, function: FunctionNode, operands: Sequence[Operand], dot: Value, piped: tuple[Value, ...], where: Where) -> Value:
        name = function.name
        if name in LAZY:
            value: Value = None
            for value in (*(self._operand(operand, dot) for operand in operands), *piped):
                if is_true(value) == (name == "or"):
                    return value
            return value
        arguments = [*(self._operand(operand, dot) for operand in operands), *piped]
        try:
            return self._functions[name](*arguments)
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            if isinstance(error, TypeError) and (reason := _miscounted(self._functions[name], len(operands), len(arguments))):
                raise self._failed(f"wrong number of args for {name}: {reason}", function.where) from error
            raise self._failed(f"error calling {name}: {error}", where) from error

    def _failed(self, reason: str, where: Where) -> TemplateError:
        """The error of a part of the template; with its place, in Go's words, where the template has a name."""
        if not self._name:
            return TemplateError(reason)
        text = where.text if len(where.text) <= _MOST_SHOWN else f"{where.text[:_MOST_SHOWN]}..."
        return TemplateError(f'template: {self._name}:{where.place}: executing "{self._name}" at <{text}>: {reason}')

    def _operand(self, operand: Operand, dot: Value) -> Value:
        match operand:
            case Constant(value):
                return value
            case Dot():
                return dot
            case Variable(name):
                return next(scope[name] for scope in reversed(self._scopes) if name in scope)
            case FunctionNode():
                return self._call(operand, (), dot, (), operand.where)
            case Pipeline():
                return self._pipeline(operand, dot)
            case Fields(base, names, where):
                found = self._operand(base, dot)
                for name in names:
                    try:
                        found = _field(found, name)
                    except TemplateError as error:
                        raise self._failed(str(error), where) from error
                return found


def _items(value: Value) -> list[tuple[Value, Value]]:
    match value:
        case None:
            return []
        case Mapping():
            return [(key, value[key]) for key in sorted(value)]
        case int() if not isinstance(value, bool):
            return [(number, number) for number in range(value)]
        case Sequence() if not isinstance(value, str):
            return list(enumerate(value))
    raise TemplateError(f"range can't iterate over {shown(value)}")


def _field(value: Value, name: str) -> Value:
    match value:
        case Struct():
            try:
                return value.field(name)
            except KeyError:
                pass
        case Mapping():
            return entry_of(value, name)
        case None:
            raise TemplateError(f"nil pointer evaluating interface {{}}.{name}")
    raise TemplateError(f"can't evaluate field {name} in type {kind_of(value)}")


def _miscounted(function: Function, written: int, given: int) -> str:
    """How many arguments a function wants and got, where the two differ; as in Go, one that was piped may not count."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some of Python's own do not say
        return ""
    least = sum(one.default is one.empty and one.kind is not one.VAR_POSITIONAL for one in parameters)
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return f"want at least {least} got {written}" if given < least else ""
    return "" if least <= given <= len(parameters) else f"want {len(parameters)} got {given}"
