"""The text of a label or an annotation, with the alert's data put in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from otelkit_stack import go_template
from otelkit_stack.go_template.errors import TemplateError
from otelkit_stack.go_template.values import Function, Value
from otelkit_stack.rules.templates.functions import FUNCTIONS
from otelkit_stack.rules.templates.values import Data, Sample

Query = Callable[[str], Sequence[Sample]]

_WITH_CONTEXT = frozenset(("query", "now", "externalURL", "pathPrefix"))
_VARIABLES = frozenset(("$labels", "$externalLabels", "$externalURL", "$value"))


def _no_query(_: str) -> Sequence[Sample]:
    raise TemplateError("there is nothing to query here")


@dataclass(frozen=True, slots=True)
class TemplateData:
    """What a template sees."""

    labels: Mapping[str, str]
    value: float
    time_ms: int = 0
    query: Query = _no_query
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""


class Template:
    """A template that has been read once and can be expanded often. Raises TemplateError for one that cannot be read."""

    def __init__(self, source: str) -> None:
        self._template = go_template.Template(source, FUNCTIONS, later=_WITH_CONTEXT, variables=_VARIABLES)

    def expand(self, data: TemplateData) -> str:
        """The text. Raises TemplateError where a function fails on this data."""
        fields: dict[str, Value] = {
            "Labels": data.labels,
            "ExternalLabels": data.external_labels,
            "ExternalURL": data.external_url,
            "Value": data.value,
        }
        variables = {f"${name[0].lower()}{name[1:]}": value for name, value in fields.items()}
        return self._template.render(Data(fields), variables, _context_functions(data))


def _context_functions(data: TemplateData) -> dict[str, Function]:
    path = "/" + data.external_url.partition("://")[2].partition("/")[2]
    return {
        "query": lambda text: list(data.query(text)),
        "now": lambda: data.time_ms / 1000,
        "externalURL": lambda: data.external_url,
        "pathPrefix": lambda: "" if path == "/" else path,
    }
