"""The grammar of templates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otelkit_stack.go_strings import escape_complaint, unquoted
from otelkit_stack.go_template.errors import TemplateError
from otelkit_stack.go_template.nodes import (
    Branch,
    Command,
    Constant,
    Dot,
    Fields,
    Function,
    Jump,
    Node,
    Operand,
    Output,
    Pipeline,
    Text,
    Variable,
    Where,
)
from otelkit_stack.go_template.tokens import Action, Token, split

_BRANCHES = ("if", "with", "range")
_UNSUPPORTED = ("define", "template", "block")
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "nil": None}


def parse(source: str, functions: frozenset[str], variables: frozenset[str]) -> tuple[Node, ...]:
    """The template's tree. Raises TemplateError, also for a function or a variable that is not known."""
    return _Parser(split(source), functions, variables).whole()


class _Parser:
    def __init__(self, parts: Iterator[str | Action], functions: frozenset[str], variables: frozenset[str]) -> None:
        self._parts = parts
        self._functions = functions
        self._scopes: list[set[str]] = [set(variables)]
        self._loops = 0
        self._line = 1
        """Where the action at hand begins."""

    def whole(self) -> tuple[Node, ...]:
        nodes, end = self._nodes()
        if end is not None:
            raise TemplateError(f"unexpected {{{{{end.tokens[0].text}}}}}", end.line)
        return nodes

    def _nodes(self) -> tuple[tuple[Node, ...], Action | None]:
        """Until ``else`` or ``end``, which is returned, or until the template ends."""
        nodes: list[Node] = []
        for part in self._parts:
            if isinstance(part, str):
                nodes.append(Text(part))
                continue
            self._line = part.line
            if not part.tokens:
                raise TemplateError("missing value for command", self._line)
            word = part.tokens[0].text
            if word in ("else", "end"):
                return tuple(nodes), part
            if word in _UNSUPPORTED:
                raise TemplateError(f"{{{{{word}}}}} is not supported in rules here")
            if word in ("break", "continue") and len(part.tokens) == 1:
                if not self._loops:
                    raise TemplateError(f"{{{{{word}}}}} outside {{{{range}}}}")
                nodes.append(Jump(word))
            elif word in _BRANCHES:
                nodes.append(self._branch(word, part.tokens[1:]))
            else:
                nodes.append(Output(self._pipeline(part.tokens)))
        return tuple(nodes), None

    def _branch(self, kind: str, tokens: tuple[Token, ...]) -> Branch:
        self._scopes.append(set())
        self._loops += kind == "range"
        if not tokens:
            raise TemplateError(f"missing value for {kind}", self._line)
        pipeline = self._pipeline(tokens, in_range=kind == "range")
        body, end = self._nodes()
        self._loops -= kind == "range"
        otherwise: tuple[Node, ...] = ()
        if end is not None and end.tokens[0].text == "else":
            rest = end.tokens[1:]
            if rest and rest[0].text in ("if", "with"):
                # The end of the inner one ends this one too.
                otherwise = (self._branch(rest[0].text, rest[1:]),)
                self._scopes.pop()
                return Branch(kind, pipeline, body, otherwise)
            if rest:
                raise TemplateError(f"unexpected {rest[0].text!r} behind {{{{else}}}}")
            otherwise, end = self._nodes()
        if end is None or end.tokens[0].text != "end":
            raise TemplateError("unexpected EOF", self._line)
        self._scopes.pop()
        return Branch(kind, pipeline, body, otherwise)

    def _pipeline(self, tokens: tuple[Token, ...], *, in_range: bool = False) -> Pipeline:
        names: tuple[str, ...] = ()
        is_assignment = False
        texts = [token.text for token in tokens]
        if len(tokens) > 1 and tokens[0].kind == "variable" and texts[1] in (":=", "="):
            names, is_assignment, tokens = (texts[0],), texts[1] == "=", tokens[2:]
        elif (
            in_range and len(tokens) > 3 and tokens[0].kind == tokens[2].kind == "variable" and texts[1] == "," and texts[3] in (":=", "=")
        ):
            names, is_assignment, tokens = (texts[0], texts[2]), texts[3] == "=", tokens[4:]
        commands, rest = self._commands(tokens)
        if rest:
            said = "right paren" if rest[0].text == ")" else repr(rest[0].text)
            raise TemplateError(f"unexpected {said}" + ("" if rest[0].text == ")" else " in command"), rest[0].line)
        # As in Go, what is assigned to counts as known from then on; whether it is shows when the template runs.
        self._scopes[-1].update(names)
        return Pipeline(commands, names, is_assignment)

    def _commands(self, tokens: tuple[Token, ...]) -> tuple[tuple[Command, ...], tuple[Token, ...]]:
        """Commands up to a closing parenthesis, and what stands behind."""
        commands: list[Command] = []
        while True:
            operands: list[Operand] = []
            before = tokens
            while tokens and tokens[0].text not in ("|", ")"):
                operand, tokens = self._operand(tokens)
                operands.append(operand)
            if not operands:
                raise TemplateError(f'unexpected "{tokens[0].text}" in command' if tokens else "missing value for command", self._line)
            if commands and isinstance(operands[0], Constant | Dot):
                raise TemplateError(f"non executable command in pipeline stage {len(commands) + 1}", self._line)
            commands.append(Command(tuple(operands), _where(before[: len(before) - len(tokens)])))
            if not tokens or tokens[0].text == ")":
                return tuple(commands), tokens
            tokens = tokens[1:]

    def _operand(self, tokens: tuple[Token, ...]) -> tuple[Operand, tuple[Token, ...]]:
        token, tokens = tokens[0], tokens[1:]
        base: Operand
        match token.kind:
            case "text":
                complaint = "" if token.text[0] == "`" else escape_complaint(token.text, '"')
                if complaint:
                    raise TemplateError(complaint)
                base = Constant(unquoted(token.text))
            case "character":
                base = Constant(ord(unquoted(token.text)))
            case "number":
                base = Constant(_number(token.text))
            case "variable":
                self._require_variable(token)
                base = Variable(token.text)
            case "field":
                base = Fields(Dot(), (token.text[1:],), _where((token,)))
            case "word" if token.text in _CONSTANTS:
                base = Constant(_CONSTANTS[token.text])
            case "word":
                if token.text not in self._functions:
                    raise TemplateError(f'function "{token.text}" not defined', token.line)
                base = Function(token.text, _where((token,)))
            case _ if token.text == ".":
                base = Dot()
            case _ if token.text == "(":
                commands, tokens = self._commands(tokens)
                if not tokens:
                    raise TemplateError("unclosed left paren")
                base, tokens = Pipeline(commands), tokens[1:]
            case _:
                raise TemplateError(f"unexpected {token.text!r} in operand")
        chain: list[Token] = []
        while tokens and tokens[0].kind == "field" and not tokens[0].follows_space:
            chain.append(tokens[0])
            tokens = tokens[1:]
        if not chain:
            return base, tokens
        # Go says that a chain is where its second part begins.
        where = Where(token.text + "".join(one.text for one in chain), chain[0].place)
        return Fields(base, tuple(one.text[1:] for one in chain), where), tokens

    def _require_variable(self, token: Token) -> None:
        if token.text != "$" and not any(token.text in scope for scope in self._scopes):
            raise TemplateError(f'undefined variable "{token.text}"', token.line)


def _where(tokens: Sequence[Token]) -> Where:
    return Where("".join(f" {one.text}" if one.follows_space else one.text for one in tokens).strip(), tokens[0].place)


def _number(text: str) -> int | float:
    cleaned = text.replace("_", "")
    try:
        return int(cleaned, 0)
    except ValueError:
        pass
    try:
        return float(cleaned) if "." in cleaned or "e" in cleaned.lower() else int(cleaned, 8)
    except ValueError:
        raise TemplateError(f"bad number syntax: {text!r}") from None
