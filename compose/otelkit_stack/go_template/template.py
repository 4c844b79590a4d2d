"""A template, read once and rendered many times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from otelkit_stack.go_template.builtins import BUILTINS
from otelkit_stack.go_template.errors import TemplateError
from otelkit_stack.go_template.execution import LAZY, Execution
from otelkit_stack.go_template.grammar import parse
from otelkit_stack.go_template.values import Function, Value

_NOTHING: Mapping[str, Function] = {}


class Template:
    """A text with ``functions`` beside Go's own; ``later`` names those that :meth:`render` is given, as are the variables' values.

    Errors of a template with a name begin as Go's do, with name and place. Raises TemplateError for a text that is no template.
    """

    def __init__(
        self, source: str, functions: Mapping[str, Function], *, later: Iterable[str] = (), variables: Iterable[str] = (), name: str = ""
    ) -> None:
        self._functions = {**BUILTINS, **functions}
        self._name = name
        try:
            self._nodes = parse(source, frozenset((*self._functions, *later, *LAZY)), frozenset(variables))
        except TemplateError as error:
            raise TemplateError(f"template: {name}:{error.line}: {error}" if name else str(error), error.line) from error

    def render(self, dot: Value, variables: Mapping[str, Value] | None = None, functions: Mapping[str, Function] = _NOTHING) -> str:
        """The text for a value of ``.`` and of variables such as ``$labels``. Raises TemplateError where a function fails."""
        known = {**self._functions, **functions} if functions else self._functions
        return Execution(known, dot, variables or {}, self._name).run(self._nodes, dot)
