"""A template, parsed once and rendered many times."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from otelkit_stack.go_template.tokens import TemplateError, Token, WrongArgumentsError, pieces, tokens

Functions = Mapping[str, Callable[..., Any]]
_BLOCKS = ("if", "with", "range")


@dataclass(frozen=True, slots=True)
class _Command:
    """An operand with its arguments: each a token, or a pipeline in parentheses."""

    operands: tuple[Token | _Pipeline, ...]


@dataclass(frozen=True, slots=True)
class _Pipeline:
    """Commands, each given the last one's value as its last argument; ``variables`` are assigned the result."""

    commands: tuple[_Command, ...]
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Block:
    kind: str
    pipeline: _Pipeline
    body: list[_Node]
    otherwise: list[_Node]


_Node = str | _Pipeline | _Block


@dataclass(slots=True)
class _Scope:
    dot: Any
    variables: dict[str, Any] = field(default_factory=dict)

    def inner(self, dot: Any) -> _Scope:
        return _Scope(dot, dict(self.variables))


class Template:
    """Raises TemplateError for a text that is no template, or names a function that is not given."""

    def __init__(self, text: str, functions: Functions, name: str = "") -> None:
        self._functions = functions
        self._name = name
        self._nodes = _Reader(text, functions).read()

    def render(self, dot: Any, variables: Mapping[str, Any] | None = None) -> str:
        """The text for a value of ``.`` and of variables such as ``$labels``. Raises TemplateError where a function refuses."""
        return "".join(self._rendered(self._nodes, _Scope(dot, {"$": dot, **(variables or {})})))

    def _rendered(self, nodes: list[_Node], scope: _Scope) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, str):
                yield node
            elif isinstance(node, _Pipeline):
                value = self._value(node, scope)
                if not node.variables:
                    yield printed(value)
            else:
                yield from self._block(node, scope)

    def _block(self, block: _Block, scope: _Scope) -> Iterator[str]:
        inner = scope.inner(scope.dot)
        value = self._value(block.pipeline, inner)
        if not is_true(value):
            yield from self._rendered(block.otherwise, inner)
        elif block.kind == "range":
            items = value.items() if isinstance(value, Mapping) else enumerate(value)
            for key, item in items:
                one = inner.inner(item)
                one.variables.update(zip(reversed(block.pipeline.variables), (item, key), strict=False))
                yield from self._rendered(block.body, one)
        else:
            yield from self._rendered(block.body, inner if block.kind == "if" else _Scope(value, inner.variables))

    def _value(self, pipeline: _Pipeline, scope: _Scope) -> Any:
        value: Any = None
        for number, command in enumerate(pipeline.commands):
            value = self._run(command, scope, (value,) if number else ())
        if pipeline.variables and len(pipeline.variables) == 1:
            scope.variables[pipeline.variables[0]] = value
        return value

    def _run(self, command: _Command, scope: _Scope, last: tuple[Any, ...]) -> Any:
        first, *rest = command.operands
        if isinstance(first, Token) and first.kind == "word" and first.text not in _CONSTANTS:
            arguments = [*(self._operand(operand, scope) for operand in rest), *last]
            place = f'template: {self._name}:{first.at}: executing "{self._name}" at <{first.text}>: '
            try:
                return self._functions[first.text](*arguments)
            except WrongArgumentsError as error:
                raise TemplateError(f"{place}wrong number of args for {first.text}: {error}") from error
            except (ValueError, TypeError, ArithmeticError, LookupError) as error:
                raise TemplateError(f"{place}error calling {first.text}: {error}") from error
        return self._operand(first, scope)

    def _operand(self, operand: Token | _Pipeline, scope: _Scope) -> Any:
        if isinstance(operand, _Pipeline):
            return self._value(operand, scope)
        match operand.kind:
            case "string":
                return operand.text[1:-1] if operand.text[0] == "`" else ast.literal_eval(operand.text)
            case "number":
                return float(operand.text) if any(letter in operand.text for letter in ".eE") else int(operand.text)
            case "dot":
                return scope.dot
            case "field":
                return _walked(scope.dot, operand.text[1:].split("."))
            case "variable":
                name, *path = operand.text.split(".")
                if name not in scope.variables:
                    raise TemplateError(f"undefined variable {name!r}")
                return _walked(scope.variables[name], path)
            case _:
                if operand.text in _CONSTANTS:
                    return _CONSTANTS[operand.text]
                return self._run(_Command((operand,)), scope, ())


_CONSTANTS = {"true": True, "false": False, "nil": None}


def is_true(value: Any) -> bool:
    """Go's truth: neither false, nor zero, nor empty."""
    return value is not None and value != 0 and value != "" and (not hasattr(value, "__len__") or len(value) > 0)


def printed(value: Any) -> str:
    """The value as Go prints it."""
    match value:
        case None:
            return "<no value>"
        case bool():
            return "true" if value else "false"
        case float():
            return go_float(value)
        case list() | tuple():
            return f"[{' '.join(map(printed, value))}]"
        case Mapping():
            return f"map[{' '.join(f'{key}:{printed(value[key])}' for key in sorted(value))}]"
        case _:
            return str(value)


def go_float(value: float) -> str:
    """``%v`` of a float: the shortest digits, with an exponent below 1e-4 and from 1e21 on."""
    if math.isnan(value):
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    if value and not 1e-4 <= abs(value) < 1e21:
        mantissa, _, exponent = f"{value!r}".partition("e") if "e" in repr(value) else (f"{value:.17g}", "", "0")
        number = int(exponent)
        return f"{mantissa.removesuffix('.0')}e{'-' if number < 0 else '+'}{abs(number):02d}"
    text = f"{value:.17g}" if "e" in repr(value) else repr(value)
    return text.removesuffix(".0")


def _walked(value: Any, path: list[str]) -> Any:
    for name in path:
        if isinstance(value, Mapping):
            value = value.get(name)
        elif value is not None:
            value = getattr(value, name, None)
    return value


class _Reader:
    def __init__(self, text: str, functions: Functions) -> None:
        self._text = text
        self._pieces = [*pieces(text)]
        self._functions = functions
        self._at = 0

    def read(self) -> list[_Node]:
        nodes, ending = self._nodes()
        if ending is not None:
            raise TemplateError(f"unexpected {{{{{ending}}}}}")
        return nodes

    def _nodes(self) -> tuple[list[_Node], str | None]:
        nodes: list[_Node] = []
        while self._at < len(self._pieces):
            piece = self._pieces[self._at]
            self._at += 1
            if not piece.is_action:
                if piece.text:
                    nodes.append(piece.text)
                continue
            word = piece.text.split(maxsplit=1)[0] if piece.text else ""
            if word in ("end", "else"):
                return nodes, piece.text
            if word in _BLOCKS:
                nodes.append(self._block(word, piece.text[len(word) :], piece.start + len(word)))
            else:
                nodes.append(self._pipeline(piece.text, piece.start))
        return nodes, None

    def _block(self, kind: str, condition: str, start: int) -> _Block:
        pipeline = self._pipeline(condition, start)
        body, ending = self._nodes()
        otherwise: list[_Node] = []
        if ending is not None and ending.startswith("else"):
            rest = ending[4:].strip()
            if rest:  # else if ...: a block of its own, which takes the same end
                word = rest.split(maxsplit=1)[0]
                otherwise = [self._block(word, rest[len(word) :], 0)]
                return _Block(kind, pipeline, body, otherwise)
            otherwise, ending = self._nodes()
        if ending != "end":
            raise TemplateError("unexpected EOF")
        return _Block(kind, pipeline, body, otherwise)

    def _pipeline(self, text: str, start: int) -> _Pipeline:
        found = tokens(text, self._text, start)
        if not found:
            raise TemplateError("missing value for command")
        variables: tuple[str, ...] = ()
        assigned = next((at for at, token in enumerate(found) if token.text in (":=", "=") and token.kind == "mark"), None)
        if assigned is not None:
            variables = tuple(token.text for token in found[:assigned] if token.kind == "variable")
            found = found[assigned + 1 :]
        pipeline, rest = self._commands(found)
        if rest:
            raise TemplateError(f"unexpected {rest[0].text!r} in command")
        return _Pipeline(pipeline.commands, variables)

    def _commands(self, found: list[Token]) -> tuple[_Pipeline, list[Token]]:
        commands: list[_Command] = []
        operands: list[Token | _Pipeline] = []
        while found and found[0].text != ")":
            token, *found = found
            if token[:2] == ("mark", "|"):
                commands.append(self._command(operands))
                operands = []
            elif token[:2] == ("mark", "("):
                inner, found = self._commands(found)
                if not found:
                    raise TemplateError("unclosed left paren")
                operands.append(inner)
                found = found[1:]
            else:
                operands.append(token)
        commands.append(self._command(operands))
        return _Pipeline(tuple(commands)), found

    def _command(self, operands: list[Token | _Pipeline]) -> _Command:
        if not operands:
            raise TemplateError("missing value for command")
        for operand in operands:
            if isinstance(operand, Token) and operand.kind == "word" and operand.text not in (*self._functions, *_CONSTANTS):
                raise TemplateError(f'function "{operand.text}" not defined')
        return _Command(tuple(operands))
