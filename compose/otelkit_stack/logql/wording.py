"""Errors of the grammar in Loki's words."""

from __future__ import annotations

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from otelkit_stack.logql.errors import ParseError


def worded(text: str, error: UnexpectedInput) -> ParseError:
    """The error of a text that the grammar does not take, with its place."""
    if isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END"):
        lines = text.split("\n")
        return ParseError(f"syntax error: unexpected $end{_expecting(error)}", len(lines), len(lines[-1]) + 1)
    if isinstance(error, UnexpectedCharacters) and error.pos_in_stream is not None:
        return ParseError(f"syntax error: unexpected {text[error.pos_in_stream : error.pos_in_stream + 1]!r}", error.line, error.column)
    token = error.token if isinstance(error, UnexpectedToken) else Token("", "")
    name = _KINDS.get(token.type, token.value)
    return ParseError(f"syntax error: unexpected {name}{_expecting(error)}", error.line, error.column)


_KINDS = {"IDENT": "IDENTIFIER", "STRING": "STRING", "NUMBER": "NUMBER"}
_EXPECTED = {
    frozenset({"COMMA", "RBRACE"}): "} or ,",
    frozenset({"IDENT", "RBRACE"}): "IDENTIFIER or }",
    frozenset({"IDENT"}): "IDENTIFIER",
    frozenset({"MATCH_OP"}): "= or =~ or !~ or !=",
    frozenset({"STRING"}): "STRING",
    frozenset({"IP", "STRING"}): "STRING or ip",
}
"""What Loki says could have stood there; it does where there is little to choose from."""


def _expecting(error: UnexpectedInput) -> str:
    accepted = frozenset(error.accepts or ()) if isinstance(error, UnexpectedToken) else frozenset()
    return f", expecting {_EXPECTED[accepted]}" if accepted in _EXPECTED else ""
