"""Runs a template's tree over its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from otelkit_stack.rules.templates.errors import TemplateError
from otelkit_stack.rules.templates.functions import LAZY, Function
from otelkit_stack.rules.templates.nodes import (
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
)
from otelkit_stack.rules.templates.nodes import Function as FunctionNode
from otelkit_stack.rules.templates.values import Data, Sample, Value, is_true, kind_of, shown


class _BreakSignal(Exception):  # noqa: N818  (a jump, not a failure)
    pass


class _ContinueSignal(Exception):  # noqa: N818  (a jump, not a failure)
    pass


class Execution:
    """One run. Raises TemplateError from a function that fails, or for a field that nothing has."""

    def __init__(self, functions: Mapping[str, Function], data: Value, variables: Mapping[str, Value]) -> None:
        self._functions = functions
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
            self._range(branch, value, dot)
        elif is_true(value):
            self._run(branch.body, value if branch.kind == "with" else dot)
        else:
            self._run(branch.otherwise, dot)

    def _range(self, branch: Branch, value: Value, dot: Value) -> None:
        items: list[tuple[Value, Value]]
        match value:
            case None:
                items = []
            case Mapping():
                items = [(key, value[key]) for key in sorted(value)]
            case str() | float() | bool():
                raise TemplateError(f"range can't iterate over {shown(value)}")
            case int():
                items = [(number, number) for number in range(value)]
            case Sequence():
                items = list(enumerate(value))
            case _:
                raise TemplateError(f"range can't iterate over {shown(value)}")
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
            return self._call(first.name, rest, dot, piped)
        if rest or piped:
            raise TemplateError("can't give argument to non-function")
        return self._operand(first, dot)

    def _call(self, name: str, operands: Sequence[Operand], dot: Value, piped: tuple[Value, ...]) -> Value:
        if name in LAZY:
            value: Value = None
            for value in (*(self._operand(operand, dot) for operand in operands), *piped):
                if is_true(value) == (name == "or"):
                    return value
            return value
        arguments = [self._operand(operand, dot) for operand in operands]
        try:
            return self._functions[name](*arguments, *piped)
        except TypeError as error:
            given = len(arguments) + len(piped)
            raise TemplateError(f"wrong number of args for {name}: got {given}") from error
        except TemplateError as error:
            raise TemplateError(f"error calling {name}: {error}") from error

    def _operand(self, operand: Operand, dot: Value) -> Value:
        match operand:
            case Constant(value):
                return value
            case Dot():
                return dot
            case Variable(name):
                return next(scope[name] for scope in reversed(self._scopes) if name in scope)
            case FunctionNode(name):
                return self._call(name, (), dot, ())
            case Pipeline():
                return self._pipeline(operand, dot)
            case Fields(base, names):
                found = self._operand(base, dot)
                for name in names:
                    found = _field(found, name)
                return found


def _field(value: Value, name: str) -> Value:
    match value:
        case Sample(labels, number):
            if name in ("Labels", "Value"):
                return labels if name == "Labels" else number
        case Data(fields):
            if name in fields:
                return fields[name]
        case Mapping():
            # As with missingkey=zero: a label that is not there is empty.
            return value.get(name, "")
        case None:
            raise TemplateError(f"nil pointer evaluating interface {{}}.{name}")
    raise TemplateError(f"can't evaluate field {name} in type {kind_of(value)}")
