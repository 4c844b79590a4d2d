"""``| line_format`` and ``| label_format``: templates over the labels of a line."""

from __future__ import annotations

from dataclasses import dataclass

from otelkit_stack.go_template import Template, TemplateError
from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.logql.line import Line
from otelkit_stack.logql.stages.template_functions import functions_of


def template_of(text: str) -> Template:
    """The template. Raises LogQLError with the reason, for one that cannot be read or uses what is not supported."""
    try:
        return Template(text, functions_of(None), "line")
    except TemplateError as error:
        raise LogQLError(f"parse error : invalid line template: template: line: {error}") from error


def _rendered(text: str, line: Line) -> str | None:
    try:
        return Template(text, functions_of(line), "line").render(_Missing(line.labels))
    except TemplateError as error:
        line.fail("TemplateFormatErr", str(error))
        return None


class _Missing(dict[str, str]):
    """Labels, where one that is not there prints as nothing."""

    def get(self, key: str, default: object = None) -> str:  # noqa: ARG002
        return super().get(key, "")


@dataclass(frozen=True, slots=True)
class LineFormat:
    """Writes the line anew."""

    template: str

    def __post_init__(self) -> None:
        template_of(self.template)

    def run(self, line: Line) -> bool:
        text = _rendered(self.template, line)
        if text is not None:
            line.text = text
        return True


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """Renames labels (``to=from``) and makes new ones (``name="template"``). ``formats`` are (name, source, is a template)."""

    formats: tuple[tuple[str, str, bool], ...]

    def __post_init__(self) -> None:
        names = [name for name, _, _ in self.formats]
        for name in names:
            if names.count(name) > 1:
                raise LogQLError(f"parse error : multiple label name '{name}' not allowed in a single format operation")
        for _, source, is_template in self.formats:
            if is_template:
                template_of(source)

    def run(self, line: Line) -> bool:
        for name, source, is_template in self.formats:
            if is_template:
                value = _rendered(source, line)
                if value is not None:
                    line.set(name, value)
            elif source in line.labels:
                line.set(name, line.labels[source])
                line.remove(source)
        return True
